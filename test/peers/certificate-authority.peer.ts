import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type ClientAuthority, clientAuthority } from "../support/client-authority.ts";
import type { MadeCertificate } from "../support/client-certificate.ts";
import { peer } from "../support/peer.ts";

describe("programs with a certificate of the site's authority", () => {
  // Who is revoked is out within a minute.
  let folder: string;
  let t: TestBridge;
  let camera: string;
  let account: string;
  let authority: ClientAuthority;
  let known: MadeCertificate;

  before(async function () {
    peer(this, "openssl");
    folder = await mkdtemp(join(tmpdir(), "viaduct-authority-"));
    authority = clientAuthority(folder, "site");
    const { caFile: ca, crlFile: crl } = authority;
    t = await startTestBridge({
      clientCertificates: true,
      certificateAuthorities: [{ name: "site", ca, crl, interfaces: ["api", "rtsp"] }],
    });
    camera = await t.adopt(await t.camera());
    account = (await t.account({ live: "any" })).name;
    known = authority.issue(account);
  });
  after(async () => {
    await t?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const curl = async (context: Mocha.Context, { certFile, keyFile }: MadeCertificate): Promise<string> => {
    const url = new URL("/api/cameras", t.bridge.parts.addresses().web("127.0.0.1")).href;
    const args = ["-sS", "-w", "\n%{http_code}", "--cacert", join(t.folder, "tls-cert.pem")];
    const shown = ["--cert", certFile, "--key", keyFile, url];
    return (await peer(context, "curl").run([...args, ...shown])).stdout.toString();
  };

  it("curl lists cameras by one that nobody has registered, and not by that of another authority, or for nobody", async function () {
    expect(await curl(this, known)).to.match(new RegExp(`"id":"${camera}"[\\s\\S]*\n200$`));
    expect(await curl(this, clientAuthority(folder, "other").issue("vms"))).to.match(/\n401$/);
    expect(await curl(this, authority.issue("nobody-here"))).to.match(/\n401$/);
  });

  it("openssl plays over RTSPS until the certificate is revoked, and is refused at once from then on", async function () {
    const { rtsps } = t.bridge.parts.addresses().doors;
    const shown = ["-cert", known.certFile, "-key", known.keyFile, "-CAfile", join(t.folder, "tls-cert.pem")];
    const args = ["s_client", "-quiet", "-ign_eof", ...shown, "-connect", `127.0.0.1:${rtsps}`];
    const player = peer(this, "openssl").start(args, { keepInput: true });
    const ended = once(player.child, "exit");
    const url = `rtsps://127.0.0.1:${rtsps}/live/${camera}`;
    let sent = 0;
    const ask = async (method: string, at: string, more = ""): Promise<string> => {
      sent += 1;
      const before = player.output().length;
      player.child.stdin?.write(`${method} ${at} RTSP/1.0\r\nCSeq: ${sent}\r\n${more}\r\n`);
      const answer = /RTSP\/1\.0 \d+[\s\S]*?\r\n\r\n/;
      const whole = (): string | undefined => {
        const told = player.output().slice(before);
        const [head] = answer.exec(told) ?? [];
        const [, length = "0"] = /Content-Length: (\d+)/i.exec(head ?? "") ?? [];
        return head === undefined || told.length < told.indexOf(head) + head.length + Number(length) ? undefined : head;
      };
      await eventually(() => whole() !== undefined);
      return whole() ?? "";
    };
    await ask("DESCRIBE", url);
    const control = /a=control:(\S+)[\s\S]*$/.exec(player.output().split("m=video")[1] ?? "")?.[1] ?? "";
    const track = control.includes("://") ? control : `${url}/${control}`;
    const session = /Session: ([^;\r]+)/.exec(
      await ask("SETUP", track, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
    )?.[1];
    expect(await ask("PLAY", url, `Session: ${session}\r\n`)).to.match(/RTSP\/1\.0 200/);
    await eventually(() => t.bridge.parts.leases.size > 0);
    authority.revoke(account);
    authority.publish();
    await eventually(() => t.bridge.parts.leases.size === 0);
    expect(await curl(this, known)).to.match(/\n401$/);
    player.child.kill();
    await ended;
  });
});
