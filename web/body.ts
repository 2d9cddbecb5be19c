import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { Fault } from "../base/fault.ts";
import { readBody } from "../net/http.ts";

/** Everything that pages send is a few short fields. */
const MAX_BODY_BYTES = 64 * 1024;
const JSON_TYPE = "application/json";

const read = new WeakMap<IncomingMessage, Buffer>();

/**
 * Reads the JSON body of a request, if it has one. For before it is found out who sends it and what they may: somebody who takes their time over
 * it may have lost their rights by its end. Fault `invalid`: it is too long.
 */
export async function readJson(request: IncomingMessage): Promise<void> {
  if (typeOf(request) === JSON_TYPE) read.set(request, await readBody(request, MAX_BODY_BYTES));
}

/** The JSON body of a request, checked. `invalid` with words that a form can show. */
export async function jsonBody<S extends z.ZodType>(request: IncomingMessage, schema: S): Promise<z.output<S>> {
  const type = typeOf(request);
  if (type !== JSON_TYPE) throw new Fault("invalid", `content type ${type}`, { tell: "Send application/json." });
  const bytes = read.get(request) ?? (await readBody(request, MAX_BODY_BYTES));
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

function typeOf({ headers }: IncomingMessage): string | undefined {
  return (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
}
