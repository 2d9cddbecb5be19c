import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

const CHALLENGE = /WWW-Authenticate: (?<scheme>\w+)[^\r]*\r\n/g;

export interface LogInRelay {
  readonly port: number;
  /** The schemes that clients have answered with, and their algorithm: `Digest MD5`, `Basic`. */
  readonly answers: ReadonlySet<string>;
  close(): void;
}

/**
 * Stands between a client and an RTSP server and shows the client all challenges, or those of one scheme: most clients cannot be
 * told which to take. Takes the client's bytes into TLS where the server wants that. A challenge must come in one piece.
 */
export async function startLogInRelay(o: {
  readonly address: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly isInTls: boolean;
  readonly shown: string;
}): Promise<LogInRelay> {
  const answers = new Set<string>();
  const open = new Set<Socket>();
  const listener = createServer((client) => {
    const server = o.isInTls ? connectTls({ ...o.server, rejectUnauthorized: false }) : connect(o.server);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (chunk: Buffer) => {
      const [, scheme, rest = ""] = /^Authorization: (\w+) (.*)$/m.exec(chunk.toString("latin1")) ?? [];
      const [, algorithm = "MD5"] = /algorithm="?([\w-]+)/i.exec(rest) ?? [];
      if (scheme !== undefined) answers.add(scheme === "Digest" ? `${scheme} ${algorithm}` : scheme);
      server.write(chunk);
    });
    server.on("data", (chunk: Buffer) => {
      const kept = (line: string, scheme: string): string => (o.shown === "all" || scheme === o.shown ? line : "");
      client.write(Buffer.from(chunk.toString("latin1").replace(CHALLENGE, kept), "latin1"));
    });
  });
  listener.listen(0, o.address);
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    answers,
    close() {
      listener.close();
      for (const socket of open) socket.destroy();
    },
  };
}
