declare module "*.cql" {
  const text: string;
  export default text;
}
