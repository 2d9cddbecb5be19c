import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type Peer, peer } from "../support/peer.ts";

const HOSTNAME = `<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>
<GetScopes xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>`;

describe("other people's programs with a token", () => {
  let t: TestBridge;
  let camera: string;
  let account: string;

  before(async () => {
    t = await startTestBridge();
    camera = await t.adopt(await t.camera());
    account = (await t.account({ live: "any" })).id;
  });
  after(() => t?.close());

  const tokenFor = async (...interfaces: readonly ("api" | "onvif" | "rtsp")[]): Promise<string> =>
    (await t.bridge.parts.tokens.make(account, { name: interfaces.join(" and "), interfaces })).secret.reveal();
  const certificate = (): string => join(t.folder, "tls-cert.pem");
  const curl = async (program: Peer, token: string, path: string, ...more: readonly string[]): Promise<string> => {
    const url = new URL(path, t.bridge.parts.addresses().web("127.0.0.1")).href;
    const args = ["-sS", "-w", "\n%{http_code}", "--cacert", certificate(), "--oauth2-bearer", token];
    return (await program.run([...args, ...more, url])).stdout.toString();
  };

  it("curl lists cameras, and changes nothing that the account may not", async function () {
    const program = peer(this, "curl");
    const token = await tokenFor("api");
    const [list, status] = (await curl(program, token, "/api/cameras")).split("\n");
    expect([status, (JSON.parse(list ?? "") as { cameras: { id: string }[] }).cameras[0]?.id]).to.deep.equal([
      "200",
      camera,
    ]);
    expect(await curl(program, token, `/api/cameras/${camera}`, "-X", "DELETE")).to.match(/not allowed.*\n403$/);
    expect(await curl(program, `${token}x`, "/api/cameras")).to.match(/this token is not taken.*\n401$/);
  });

  it("curl asks ONVIF inside TLS, where the token is for that", async function () {
    const program = peer(this, "curl");
    const [right, other] = [await tokenFor("onvif"), await tokenFor("api", "rtsp")];
    const soap = ["-H", "Content-Type: application/soap+xml", "--data-binary", HOSTNAME];
    expect(await curl(program, right, "/onvif/device_service", ...soap)).to.match(/GetScopesResponse[\s\S]*\n200$/);
    expect(await curl(program, other, "/onvif/device_service", ...soap)).to.match(/NotAuthorized[\s\S]*\n401$/);
  });

  it("openssl asks RTSP for a description, and in clear the token is worth nothing", async function () {
    const program = peer(this, "openssl");
    const token = await tokenFor("rtsp", "onvif");
    const { rtsps, rtsp } = t.bridge.parts.addresses().doors;
    const ask = (scheme: string, port: number | undefined): string =>
      `DESCRIBE ${scheme}://127.0.0.1:${port}/live/${camera} RTSP/1.0\r\nCSeq: 1\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    const options = ["s_client", "-quiet", "-verify_return_error", "-CAfile", certificate()];
    const openssl = program.start([...options, "-connect", `127.0.0.1:${rtsps}`, "-ign_eof"], { keepInput: true });
    openssl.child.stdin?.write(ask("rtsps", rtsps));
    await eventually(() => openssl.child.exitCode !== null || /^RTSP\/1\.0 [\s\S]*m=video/m.test(openssl.output()));
    openssl.child.kill();
    expect(openssl.output()).to.match(/^RTSP\/1\.0 200 [\s\S]*m=video/m);
    const plain = connect(Number(rtsp), "127.0.0.1");
    plain.write(ask("rtsp", rtsp));
    const [refused] = (await once(plain, "data")) as [Buffer];
    plain.destroy();
    expect(refused.toString()).to.match(/^RTSP\/1\.0 401 /);
  });
});
