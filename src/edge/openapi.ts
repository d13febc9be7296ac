import { z } from "zod";
import { feedEventJsonSchema } from "../domain/feed.ts";
import { PROBLEMS } from "./problem.ts";
import type { Route } from "./route.ts";

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

const jsonSchema = (schema: z.ZodType): ObjectSchema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as ObjectSchema;

const PROBLEM_SCHEMA = {
  type: "object",
  required: ["type", "title", "status", "detail", "code"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", enum: Object.keys(PROBLEMS) },
    instance: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "message"],
        properties: { field: { type: "string" }, code: { type: "string" }, message: { type: "string" } },
      },
    },
  },
};

/** The OpenAPI 3.1 document of the routes, from the schemas that check the requests. */
export function openApiDocument(routes: readonly Route[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Powerplay",
      version: "1",
      description: "Fantasy cricket. Money is in paise; `points` are points, exact to a quarter.",
    },
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      schemas: { Problem: PROBLEM_SCHEMA, FeedEvent: feedEventJsonSchema() },
      responses: {
        Problem: {
          description: "Refused; `code` says why",
          content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
        },
      },
    },
  };
}

function operation({ method, summary, auth, schemas, raw, path }: Route): object {
  const parameters = [...parametersOf(schemas.params, "path"), ...parametersOf(schemas.query, "query")];
  const isFeed = path.startsWith("/v1/scores/");
  const body = isFeed ? { $ref: "#/components/schemas/FeedEvent" } : schemas.body ? jsonSchema(schemas.body) : null;
  return {
    summary,
    ...(auth === "none" ? {} : { security: [{ bearer: [] }], "x-role": auth }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(method !== "GET" && (body !== null || raw)
      ? { requestBody: { required: true, content: { "application/json": { schema: body ?? {} } } } }
      : {}),
    responses: {
      "2XX": { description: "Done", content: { "application/json": { schema: { type: "object" } } } },
      default: { $ref: "#/components/responses/Problem" },
    },
  };
}

function parametersOf(schema: z.ZodType | undefined, where: "path" | "query"): object[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === "path" || required.includes(name),
    schema: property,
  }));
}
