/** What names are compared by: "Ünal" and "ünal" are one name on every engine, whatever its own collation thinks. */
export const foldUserName = (name: string): string => name.normalize("NFKC").toLowerCase();
