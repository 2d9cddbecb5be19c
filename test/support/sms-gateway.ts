import { once } from "node:events";
import { join } from "node:path";
import type { Context } from "mocha";
import { eventually } from "./bridge.ts";
import { pythonPeer } from "./peer.ts";

const SERVER = join(import.meta.dirname, "sms-gateway.py");

/** By which the gateway knows who sends. */
export const SMS_SECRET = "s3cret-of-the-gateway";

/** What the gateway was asked. */
export interface SmsRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly type: string;
  readonly fields: unknown;
  /** The secret was right. */
  readonly known: boolean;
  readonly sender: string | null;
}

/** Python's http.server inside TLS, at 127.0.0.1. It takes what comes to `/messages`; other paths end otherwise. */
export interface SmsGatewayPeer {
  readonly port: number;
  readonly requests: () => readonly SmsRequest[];
  close(): Promise<void>;
}

/** `identity`: a folder with certificate and key. Skips the test or hook of `context` without Python. */
export async function startSmsGateway(context: Context, identity: string): Promise<SmsGatewayPeer> {
  const files = ["tls-cert.pem", "tls-key.pem"].map((name) => join(identity, name));
  const gateway = pythonPeer(context, "http.server").start([SERVER, ...files, SMS_SECRET]);
  const lines = (): unknown[] =>
    (gateway.output().match(/^\{.*\}(?=\n)/gm) ?? []).map((line) => JSON.parse(line) as unknown);
  await eventually(() => lines().length > 0);
  const [{ port }] = lines() as [{ port: number }];
  return {
    port,
    requests: () => lines().slice(1) as SmsRequest[],
    async close() {
      gateway.child.kill("SIGKILL");
      await once(gateway.child, "exit");
    },
  };
}
