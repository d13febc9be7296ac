/** Arrays as Postgres reads them: one text, cheaper than a parameter an element. */
export const numberArray = (values: readonly number[]): string => `{${values.join(",")}}`;

const QUOTED = /["\\]/g;
const quote = (text: string): string => `"${text.replace(QUOTED, "\\$&")}"`;
export const textArray = (values: readonly string[]): string => `{${values.map(quote).join(",")}}`;
