import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect } from "chai";
import { explained } from "../../bridge/client-side/refusal-words.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type MadeCertificate, makeCertificate } from "../support/client-certificate.ts";
import { officialFolder } from "../support/official-schemas.ts";
import { requestOf } from "../support/onvif-client.ts";
import { peer, pythonPeer } from "../support/peer.ts";

const ZEEP = join(import.meta.dirname, "../support/zeep-secure.py");
const LONG = ["-days", "30"];

describe("programs with a client certificate", () => {
  let folder: string;
  let t: TestBridge;
  let camera: string;
  let account: string;
  let known: MadeCertificate;
  let strange: MadeCertificate;

  before(async function () {
    peer(this, "openssl");
    folder = await mkdtemp(join(tmpdir(), "viaduct-certificates-"));
    t = await startTestBridge({ clientCertificates: true });
    camera = await t.adopt(await t.camera());
    account = (await t.account({ live: "any" })).id;
    [known, strange] = [makeCertificate(folder, "known", LONG), makeCertificate(folder, "strange", LONG)];
    const wanted = { name: "machine", interfaces: ["api", "onvif", "rtsp"] } as const;
    await t.bridge.parts.tokens.register(account, wanted, known.pem);
  });
  after(async () => {
    await t?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const curl = async (
    context: Mocha.Context,
    { certFile, keyFile }: MadeCertificate,
    path: string,
    ...more: readonly string[]
  ): Promise<string> => {
    const url = new URL(path, t.bridge.parts.addresses().web("127.0.0.1")).href;
    const args = ["-sS", "-w", "\n%{http_code}", "--cacert", join(t.folder, "tls-cert.pem")];
    const shown = ["--cert", certFile, "--key", keyFile];
    return (await peer(context, "curl").run([...args, ...shown, ...more, url])).stdout.toString();
  };

  it("curl lists cameras, and is a stranger with another certificate", async function () {
    expect(await curl(this, known, "/api/cameras")).to.match(new RegExp(`"id":"${camera}"[\\s\\S]*\n200$`));
    expect(await curl(this, known, `/api/cameras/${camera}`, "-X", "DELETE")).to.match(/not allowed.*\n403$/);
    expect(await curl(this, strange, "/api/cameras")).to.match(/\n401$/);
  });

  for (const header of [
    "Origin: https://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: none",
    "Cookie: a=b",
  ])
    it(`curl is a stranger where it says what browsers say: ${header}`, async function () {
      expect(await curl(this, known, "/api/cameras", "-H", header)).to.match(/\n401$/);
      const soap = ["-H", "Content-Type: application/soap+xml", "--data-binary", requestOf("tds", "GetScopes")];
      expect(await curl(this, known, "/onvif/device_service", "-H", header, ...soap)).to.match(/\n401$/);
    });

  it("curl asks ONVIF; a wrong log-in beside it counts first; another certificate is told to the administrator", async function () {
    const soap = ["-H", "Content-Type: application/soap+xml", "--data-binary", requestOf("tds", "GetScopes")];
    const ask = (certificate: MadeCertificate, ...more: readonly string[]): Promise<string> =>
      curl(this, certificate, "/onvif/device_service", ...soap, ...more);
    expect(await ask(known)).to.match(/GetScopesResponse[\s\S]*\n200$/);
    expect(await ask(known, "--basic", "-u", "vms:wrong")).to.match(/\n401$/);
    expect(await ask(strange)).to.match(/NotAuthorized[\s\S]*\n401$/);
    const told = t.bridge.parts.refusals.list().map(explained);
    expect(
      told.some(({ says }) => /certificate that is not taken: nobody here has the one with SHA-256/.test(says)),
    ).to.equal(true);
  });

  it("zeep with the official WSDL files reads the scopes", async function () {
    const python = pythonPeer(this, "zeep");
    const address = new URL("/onvif/device_service", t.bridge.parts.addresses().web("127.0.0.1")).href;
    const ask = async ({ certFile, keyFile }: MadeCertificate): Promise<unknown> => {
      const trusted = join(t.folder, "tls-cert.pem");
      const args = [ZEEP, officialFolder(this), address, trusted, "certificate", certFile, keyFile];
      return JSON.parse((await python.run(args)).stdout.toString());
    };
    expect(await ask(known)).to.include("onvif://www.onvif.org/name/Viaduct");
    expect(await ask(strange)).to.match(/^log in: the certificate of this client/);
  });

  it("openssl asks RTSP for a description, on RTSPS alone: inside HTTPS there may be a browser", async function () {
    const program = peer(this, "openssl");
    const { rtsps, https } = t.bridge.parts.addresses().doors;
    const ask = async ({ certFile, keyFile }: MadeCertificate, ...more: readonly string[]): Promise<string> => {
      const shown = ["-cert", certFile, "-key", keyFile, ...more];
      const options = ["s_client", "-quiet", "-CAfile", join(t.folder, "tls-cert.pem"), "-ign_eof", ...shown];
      const openssl = program.start([...options, "-connect", `127.0.0.1:${rtsps}`], { keepInput: true });
      openssl.child.stdin?.write(`DESCRIBE rtsps://127.0.0.1:${rtsps}/live/${camera} RTSP/1.0\r\nCSeq: 1\r\n\r\n`);
      await eventually(() => /RTSP\/1\.0 (?:401|200[\s\S]*m=video)/.test(openssl.output()));
      openssl.child.kill();
      return openssl.output();
    };
    for (const version of ["-tls1_2", "-tls1_3"]) {
      expect(await ask(known, version)).to.match(/^RTSP\/1\.0 200 /m);
      expect(await ask(strange, version)).to.match(/^RTSP\/1\.0 401 /m);
    }
    const tunnel = connect({
      host: "127.0.0.1",
      port: https,
      rejectUnauthorized: false,
      cert: known.pem,
      key: await keyOf(known),
    });
    await once(tunnel, "secureConnect");
    tunnel.on("error", () => undefined);
    const cookie = "x-sessioncookie: one\r\nAccept: application/x-rtsp-tunnelled\r\n\r\n";
    tunnel.write(`GET / HTTP/1.0\r\n${cookie}`);
    await once(tunnel, "data");
    const post = connect({
      host: "127.0.0.1",
      port: https,
      rejectUnauthorized: false,
      cert: known.pem,
      key: await keyOf(known),
    });
    await once(post, "secureConnect");
    post.on("error", () => undefined);
    const request = `DESCRIBE rtsps://127.0.0.1/live/${camera} RTSP/1.0\r\nCSeq: 1\r\n\r\n`;
    post.write(`POST / HTTP/1.0\r\nContent-Length: 32767\r\nContent-Type: application/x-rtsp-tunnelled\r\n${cookie}`);
    post.write(Buffer.from(request).toString("base64"));
    const [answer] = (await once(tunnel, "data")) as [Buffer];
    expect(answer.toString()).to.match(/^RTSP\/1\.0 401 /);
    tunnel.destroy();
    post.destroy();
  });

  it("are strangers from the moment at which it is revoked", async function () {
    const { tokens } = t.bridge.parts;
    await tokens.revoke(account, tokens.list(account)[0]?.id ?? "");
    expect(await curl(this, known, "/api/cameras")).to.match(/\n401$/);
  });

  it("are not asked for one where that is not switched on", async function () {
    const other = await startTestBridge();
    try {
      const args = ["s_client", "-connect", `127.0.0.1:${other.bridge.parts.addresses().doors.https}`];
      const { stdout } = await peer(this, "openssl").run(args);
      expect(stdout.toString())
        .to.contain("No client certificate CA names sent")
        .and.not.contain("Acceptable client certificate");
      expect(stdout.toString()).not.to.match(/Requested Signature Algorithms/);
    } finally {
      await other.close();
    }
  });
});

function keyOf({ keyFile }: MadeCertificate): Promise<Buffer> {
  return readFile(keyFile);
}
