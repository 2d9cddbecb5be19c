import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { Fault } from "../base/fault.ts";
import { readBody } from "../net/http.ts";

/** Everything that pages send is a few short fields. */
const MAX_BODY_BYTES = 64 * 1024;

/** The JSON body of a request, checked. `invalid` with words that a form can show. */
export async function jsonBody<S extends z.ZodType>(request: IncomingMessage, schema: S): Promise<z.output<S>> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new Fault("invalid", `content type ${type}`, { tell: "Send application/json." });
  const bytes = await readBody(request, MAX_BODY_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new Fault("invalid", "body is not JSON", { tell: "The request is not valid JSON.", cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const tell = result.error.issues.map((issue) => `${issue.path.join(".") || "request"}: ${issue.message}`).join("\n");
  throw new Fault("invalid", tell, { tell });
}
