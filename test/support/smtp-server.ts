import { once } from "node:events";
import { join } from "node:path";
import type { Context } from "mocha";
import { eventually } from "./bridge.ts";
import { pythonPeer } from "./peer.ts";

const SERVER = join(import.meta.dirname, "smtp-server.py");

/** As whom the server lets a sender in. */
export const MAIL_USER = "viaduct";
export const MAIL_PASSWORD = "s3cret-of-the-mail-server";

/** A message that the server took. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly tls: boolean;
  readonly user: string | null;
}

/** aiosmtpd at 127.0.0.1. */
export interface MailServer {
  readonly port: number;
  readonly mails: () => readonly Mail[];
  close(): Promise<void>;
}

/** `deaf` offers no STARTTLS. `identity`: a folder with certificate and key. Skips the test or hook of `context` without aiosmtpd. */
export async function startMailServer(
  context: Context,
  mode: "starttls" | "tls" | "none" | "deaf",
  identity: string,
): Promise<MailServer> {
  const files = ["tls-cert.pem", "tls-key.pem"].map((name) => join(identity, name));
  const server = pythonPeer(context, "aiosmtpd").start([SERVER, mode, ...files, MAIL_USER, MAIL_PASSWORD]);
  // It says things of its own besides.
  const lines = (): unknown[] =>
    (server.output().match(/^\{.*\}(?=\n)/gm) ?? []).map((line) => JSON.parse(line) as unknown);
  await eventually(() => lines().length > 0);
  const [{ port }] = lines() as [{ port: number }];
  return {
    port,
    mails: () => lines().slice(1) as Mail[],
    async close() {
      server.child.kill("SIGKILL");
      await once(server.child, "exit");
    },
  };
}
