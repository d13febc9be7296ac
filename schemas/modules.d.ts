// SQL is imported with { type: "text" }, so that a compiled binary takes its migrations along.
declare module "*.sql" {
  const text: string;
  export default text;
}
