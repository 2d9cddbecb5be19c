import { request } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { Fault, type FaultKind } from "../base/fault.ts";
import { OPERATOR_HEADER } from "../web/control.ts";
import { operator } from "./operator.ts";

const KINDS: Readonly<Record<number, FaultKind>> = {
  400: "invalid",
  401: "unauthenticated",
  403: "denied",
  404: "not-found",
  409: "wrong-state",
  429: "busy",
};

/** Asks a running bridge over the socket in its data folder; undefined where none is running. Faults: what the bridge says. */
export async function askBridge(
  socketPath: string,
  method: "GET" | "POST" | "PUT",
  path: string,
  body?: object,
): Promise<{ readonly answer: unknown } | undefined> {
  const bytes = body === undefined ? undefined : JSON.stringify(body);
  const response = await new Promise<import("node:http").IncomingMessage | undefined>((resolve, reject) => {
    const headers = {
      [OPERATOR_HEADER]: operator(),
      ...(bytes === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(bytes) }),
    };
    const asked = request({ socketPath, method, path, headers, agent: false }, resolve);
    asked.once("error", (error: NodeJS.ErrnoException) => {
      // A crash leaves the socket behind.
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined);
      else
        reject(new Fault("unavailable", `cannot ask the bridge at ${socketPath}: ${error.message}`, { cause: error }));
    });
    asked.end(bytes);
  });
  if (response === undefined) return undefined;
  const text = await textOf(response);
  const answer: unknown = text === "" ? undefined : JSON.parse(text);
  const status = response.statusCode ?? 0;
  if (status < 300) return { answer };
  const tell = (answer as { error?: string } | undefined)?.error ?? `the bridge answered ${status}`;
  throw new Fault(KINDS[status] ?? "unavailable", tell, { tell });
}
