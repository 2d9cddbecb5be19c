import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { asFault } from "../../base/fault.ts";
import { DAY } from "../../base/units.ts";
import { type Identity, loadIdentity } from "../../net/tls.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const HOSTS = ["192.0.2.10", "2001:db8::10", "bridge.example"];

const spkiOf = (identity: Identity): string =>
  createHash("sha256")
    .update(new X509Certificate(identity.cert).publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");

describe("the bridge's TLS identity", () => {
  let folder: string;
  let clock: VirtualClock;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-tls-"));
    clock = new VirtualClock();
  });
  afterEach(() => rm(folder, { recursive: true }));
  const load = (hosts = HOSTS): Promise<Identity> => loadIdentity(folder, hosts, clock);
  const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);

  it("is a P-256 key and a certificate that names every host, for a server alone", async () => {
    const { key, cert, fingerprint } = await load();
    const certificate = new X509Certificate(cert);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).to.equal(true);
    expect(createPrivateKey(key).asymmetricKeyDetails?.namedCurve).to.equal("prime256v1");
    for (const host of ["bridge.example", "localhost"]) expect(certificate.checkHost(host), host).to.equal(host);
    for (const ip of ["192.0.2.10", "2001:db8::10", "127.0.0.1"]) expect(certificate.checkIP(ip), ip).to.equal(ip);
    expect(certificate.checkHost("other.example")).to.equal(undefined);
    expect(certificate.ca).to.equal(false);
    expect(certificate.keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1"]);
    expect(certificate.serialNumber).to.have.length(32);
    expect(fingerprint)
      .to.match(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
      .and.to.equal(certificate.fingerprint256);
    const days = (Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / DAY;
    expect(days).to.equal(397);
  });
  it("is kept for the owner alone, and nothing else is left in the folder", async () => {
    await load();
    expect((await readdir(folder)).toSorted()).to.deep.equal(["tls-cert.pem", "tls-key.pem"]);
    for (const name of await readdir(folder))
      expect((await stat(join(folder, name))).mode & 0o777, name).to.equal(0o600);
  });
  it("is the same at the next start", async () => expect(await load()).to.deep.equal(await load()));
  it("is the same while 31 days are left, and renewed with the same key when fewer are", async () => {
    const first = await load();
    await clock.advance((397 - 1 - 31) * DAY);
    expect(await load()).to.deep.equal(first);
    await clock.advance(2 * DAY);
    const second = await load();
    expect(second.cert).not.to.equal(first.cert);
    expect(spkiOf(second)).to.equal(spkiOf(first));
    expect(await load()).to.deep.equal(second);
  });
  it("is made anew with the same key for a new host, not for one less", async () => {
    const first = await load();
    expect(await load(HOSTS.slice(1))).to.deep.equal(first);
    const second = await load([...HOSTS, "192.0.2.11"]);
    expect(new X509Certificate(second.cert).checkIP("192.0.2.11")).to.equal("192.0.2.11");
    expect(spkiOf(second)).to.equal(spkiOf(first));
  });
  it("completes a start that was cut between key and certificate", async () => {
    const first = await load();
    await rm(join(folder, "tls-cert.pem"));
    expect(spkiOf(await load())).to.equal(spkiOf(first));
  });
  it("mends a certificate of ours that belongs to another key", async () => {
    const first = await load();
    await rm(join(folder, "tls-key.pem"));
    await rm(join(folder, "tls-cert.pem"));
    await load();
    await put("tls-cert.pem", first.cert);
    const mended = await load();
    expect(new X509Certificate(mended.cert).checkPrivateKey(createPrivateKey(mended.key))).to.equal(true);
  });

  const broken: readonly (readonly [string, () => Promise<void>, string])[] = [
    ["a certificate without key", () => rm(join(folder, "tls-key.pem")), "invalid"],
    ["a file that is no certificate", () => put("tls-cert.pem", "hello"), "invalid"],
    [
      "a key of another kind",
      () =>
        put(
          "tls-key.pem",
          generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }) as string,
        ),
      "invalid",
    ],
  ];
  for (const [name, breakIt, kind] of broken)
    it(`refuses ${name}, and leaves it as it is`, async () => {
      await load();
      await breakIt();
      const before = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8")));
      const fault = await load().then(() => undefined, asFault);
      expect(fault?.kind).to.equal(kind);
      expect(
        await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "utf8"))),
      ).to.deep.equal(before);
    });
  it("is unavailable where the folder cannot be made", async () => {
    await put("file", "");
    const fault = await loadIdentity(join(folder, "file"), [], clock).then(() => undefined, asFault);
    expect(fault?.kind).to.equal("unavailable");
  });
});
