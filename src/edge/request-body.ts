import { Problem } from "./problem.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The JSON value of a body, or the problem that names what is wrong with it. */
export function parseJson(bytes: Uint8Array): { readonly value: unknown } | Problem {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return new Problem("invalid_utf8", "The body is not UTF-8.");
  }
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return new Problem("malformed_json", `The body is not JSON: ${error instanceof Error ? error.message : ""}`);
  }
}
