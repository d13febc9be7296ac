import type { z } from "zod";

/** A wrong field: where, e.g. `wickets[0].kind` ("" is the value itself), and a sentence for people. */
export interface FieldFault {
  readonly field: string;
  readonly message: string;
}

/** Names every wrong field of a refused value, unknown fields by their own name. */
export function fieldFaults(error: z.ZodError): FieldFault[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return { field: fieldName(issue.path), message: issue.message };
    return issue.keys.map((key) => ({ field: fieldName([...issue.path, key]), message: "is not a known field" }));
  });
}

/** `["wickets", 0, "kind"]` is `wickets[0].kind`; keys that are not plain words are quoted. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === "number") return `${name}[${part}]`;
    const key = String(part);
    if (!/^\w+$/.test(key)) return `${name}[${JSON.stringify(key)}]`;
    return name === "" ? key : `${name}.${key}`;
  }, "");
}
