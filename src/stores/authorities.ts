import { readFileSync } from "node:fs";

/** PEM of the authorities that `option` of a store's URL names the file of. Throws `fault` of why it can't be had. */
export function readAuthorities(option: string, file: string, fault: (reason: string) => Error): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw fault(`${option} can't be read: ${(error as Error).message}`);
  }
}
