import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { tokenIn } from "../../recorder/cms/time-stamp.ts";
import type { Peer } from "./peer.ts";

/** Certificates of one name each, and how openssl stamps. */
const CONFIG = `
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[below]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
[stamper]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[web]
basicConstraints = CA:FALSE
extendedKeyUsage = critical,timeStamping,serverAuth
[stamps]
serial = SERIAL
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1, millisecs:500, microsecs:100
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_alg = sha256
`;

const P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"] as const;

/** `PKIStatusInfo`: granted. */
export const GRANTED = Buffer.from("3003020100", "hex");

/** A value of DER. */
export function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, 0x82, body.length >> 8, body.length & 0xff), body]);
}

/** The answer of a server to a request. */
export interface Answer {
  readonly status?: number;
  readonly body: Buffer;
}

/** Time stamps by openssl, with its own certificates in a folder: `root.pem`, and of what was issued `<name>.pem` and `<name>.key`. */
export class OpensslStamps {
  readonly folder: string;
  readonly #openssl: Peer;
  #count = 0;

  private constructor(folder: string, openssl: Peer) {
    this.folder = folder;
    this.#openssl = openssl;
  }

  static async make(folder: string, openssl: Peer): Promise<OpensslStamps> {
    const made = new OpensslStamps(folder, openssl);
    await writeFile(made.file("openssl.cnf"), CONFIG.replace("SERIAL", made.file("serial")));
    await made.issue("root");
    await made.issue("stamper", { by: "root" });
    return made;
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#openssl.run(args);
    expect(code, `${args.join(" ")}\n${stderr}`).to.equal(0);
    return stdout.toString();
  }

  /** A certificate, by itself or `by` another one; `as`: a section of the configuration. */
  async issue(
    name: string,
    o: { readonly by?: string; readonly as?: string; readonly key?: readonly string[]; readonly days?: number } = {},
  ): Promise<void> {
    const { by, as = name, key = P256, days = 30 } = o;
    const config = ["-config", this.file("openssl.cnf")];
    const made = ["-nodes", "-newkey", ...key, "-keyout", this.file(`${name}.key`), "-subj", `/CN=The ${name}`];
    if (by === undefined) {
      const own = ["-x509", "-days", `${days}`, "-extensions", as, "-out", this.file(`${name}.pem`)];
      await this.run("req", ...config, ...made, ...own);
      return;
    }
    await this.run("req", ...config, ...made, "-out", this.file(`${name}.csr`));
    const issuer = ["-CA", this.file(`${by}.pem`), "-CAkey", this.file(`${by}.key`), "-CAcreateserial"];
    const extensions = ["-extfile", this.file("openssl.cnf"), "-extensions", as, "-days", `${days}`];
    const files = ["-in", this.file(`${name}.csr`), "-out", this.file(`${name}.pem`)];
    await this.run("x509", "-req", ...files, ...issuer, ...extensions);
  }

  /** Answers a request as an authority does. */
  async reply(query: Buffer, by = "stamper", ...more: readonly string[]): Promise<Buffer> {
    this.#count += 1;
    const [asked, answer] = [this.file(`${this.#count}.tsq`), this.file(`${this.#count}.tsr`)];
    await writeFile(asked, query);
    const signer = ["-inkey", this.file(`${by}.key`), "-signer", this.file(`${by}.pem`)];
    const config = ["-config", this.file("openssl.cnf"), "-section", "stamps"];
    await this.run("ts", "-reply", "-queryfile", asked, ...config, ...signer, ...more, "-out", answer);
    return readFile(answer);
  }

  /** The same with another signature, as no authority makes it: `cms -sign` asks for no purpose. */
  async replySignedBy(query: Buffer, by: string, ...more: readonly string[]): Promise<Buffer> {
    await writeFile(this.file("right"), tokenIn(await this.reply(query)));
    await this.run(
      "cms",
      "-verify",
      "-noverify",
      "-inform",
      "DER",
      "-in",
      this.file("right"),
      "-out",
      this.file("info"),
    );
    const what = ["-binary", "-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", this.file("info")];
    const signer = ["-inkey", this.file(`${by}.key`), "-signer", this.file(`${by}.pem`), "-md", "sha256"];
    await this.run("cms", "-sign", ...what, ...signer, ...more, "-outform", "DER", "-out", this.file("token"));
    return tagged(0x30, GRANTED, await readFile(this.file("token")));
  }
}

/** An HTTP server that answers every POST as it is told to. */
export interface StampServer {
  readonly port: number;
  readonly asked: readonly { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[];
  close(): Promise<void>;
}

/** `tls`: the folder of an identity. */
export async function startStampServer(
  answer: (query: Buffer) => Promise<Answer | "nothing">,
  tls?: string,
): Promise<StampServer> {
  const asked: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray());
    asked.push({ headers: request.headers, body });
    const made = await answer(body);
    if (made === "nothing") return;
    response.writeHead(made.status ?? 200, { "Content-Type": "application/timestamp-reply" });
    response.end(made.body);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer(
          { cert: await readFile(join(tls, "tls-cert.pem")), key: await readFile(join(tls, "tls-key.pem")) },
          listener,
        );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
