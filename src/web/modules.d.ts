// What `make web` generates; a checkout that is not built yet type-checks all the same.
declare module "*/build/web/assets.ts" {
  export const files: Record<string, string>;
  export const page: string;
}
declare module "*.css";
