import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { unixMillis } from "../../base/units.ts";
import { openDataFolder } from "../../bridge/data-folder.ts";
import { loadSigner } from "../../bridge/signing.ts";
import { Archive } from "../../recorder/archive.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import { MAIN_VOLUME } from "../../recorder/volume.ts";
import { GroupCamera } from "../support/group-camera.ts";
import { peer } from "../support/peer.ts";
import { START_MS, scratchFolder, VIDEO_TRACK, videoSample } from "../support/recorder-samples.ts";
import { OpensslStamps } from "../support/time-stamp-authority.ts";
import { viaduct, writeConfig } from "../support/viaduct.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** What openssl writes into certificates that it makes from our request. */
const EXTENSIONS = `
[documents]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = 1.3.6.1.5.5.7.3.36
[web]
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
[agreement]
keyUsage = critical,keyAgreement
[authority]
basicConstraints = critical,CA:TRUE
`;

describe("the certificate of an authority, by openssl, for the key that signs recordings", () => {
  let folder = "";
  let remove: () => Promise<void>;
  let config = "";
  let ca: OpensslStamps;
  const at = (...path: readonly string[]): string => join(folder, ...path);
  const recordings = (): string => at("data", "recordings");
  const own = (): string => at("data", "evidence-cert.pem");
  const keys = (...args: readonly string[]) => viaduct(["keys", ...args, "--config", config]);
  const take = async (...certificates: readonly string[]): ReturnType<typeof viaduct> => {
    await writeFile(at("chain.pem"), certificates.join(""));
    return keys("certificate", "--chain", at("chain.pem"));
  };
  const read = (name: string): Promise<string> => readFile(ca.file(name), "utf8");
  const certify = async (o: { as?: string; out?: string; request?: string; days?: number } = {}): Promise<string> => {
    const { as = "documents", out = "ours.pem", request = at("ours.csr"), days = 30 } = o;
    const issuer = ["-CA", ca.file("below.pem"), "-CAkey", ca.file("below.key"), "-CAcreateserial"];
    const extensions = ["-extfile", ca.file("ours.cnf"), "-extensions", as];
    await ca.run("x509", "-req", "-in", request, ...issuer, ...extensions, "-days", `${days}`, "-out", ca.file(out));
    return read(out);
  };
  /** Eight seconds of a camera from now on, with an anchor at the end. `maxBytes`: retention removes what is more. */
  const record = async (maxBytes?: number): Promise<void> => {
    const startMs = unixMillis(Math.max(Date.now(), endMs));
    endMs = startMs + 8000;
    const data = await openDataFolder(at("data"));
    const clock = new VirtualClock(startMs);
    const place = { folder: recordings(), clock, log: silentLog(), metrics: new Metrics() };
    const signer = await loadSigner(data, systemClock);
    const archive = await Archive.open({ ...place, signer, settings: { segmentMs: 2000 } });
    const camera = new GroupCamera();
    const recorder = archive.recorder("gate", "main");
    recorder.describe([VIDEO_TRACK]);
    for (let index = 0; index < 200; index += 1) {
      const sample = videoSample(index);
      recorder.push(camera.group(0, { ...sample, at: unixMillis(sample.at - START_MS + startMs) }));
    }
    await recorder.close();
    if (maxBytes !== undefined) {
      archive.retain("gate", { maxBytes });
      await archive.tidy();
    }
    await archive.close();
    await data.close();
  };
  const verify = (...args: readonly string[]) => viaduct(["verify", recordings(), ...args]);
  const exportTo = async (out: string): Promise<void> => {
    const range = ["--from", new Date(0).toISOString(), "--to", new Date(endMs).toISOString()];
    const what = ["--config", config, "--camera", "gate", ...range];
    const made = await viaduct(["export", ...what, "--out", out, "--no-password"]);
    expect(made.code, made.err).to.equal(0);
  };
  let aside = "";
  let endMs = 0;

  before(async function () {
    const openssl = peer(this, "openssl");
    ({ folder, remove } = await scratchFolder());
    config = await writeConfig(folder);
    await mkdir(at("ca"));
    await mkdir(recordings(), { recursive: true });
    ca = await OpensslStamps.make(at("ca"), openssl);
    await writeFile(ca.file("ours.cnf"), EXTENSIONS);
    await ca.issue("below", { by: "root" });
    await ca.issue("stranger", { as: "root" });
    await record();
  });
  after(() => remove?.());

  it("is asked for with a request that openssl reads, of the key that signs", async () => {
    const { code, err } = await keys(
      "request",
      "--name",
      "CN=Recordings of the harbour,O=Example",
      "--out",
      at("ours.csr"),
    );
    expect(code, err).to.equal(0);
    const text = await ca.run("req", "-in", at("ours.csr"), "-verify", "-noout", "-text", "-subject");
    expect(text)
      .to.match(/ED25519/i)
      .and.match(/Digital Signature/);
    expect(text).to.match(/CN ?= ?Recordings of the harbour/);
    const ours = await ca.run("x509", "-in", own(), "-noout", "-pubkey");
    expect(await ca.run("req", "-in", at("ours.csr"), "-noout", "-pubkey")).to.equal(ours);
    const again = await keys("request", "--name", "CN=a", "--out", at("ours.csr"));
    expect(again.code, "over a file that is there").not.to.equal(0);
    const bad = await keys("request", "--name", "harbour", "--out", at("bad.csr"));
    expect([bad.code, bad.err]).to.deep.equal([
      2,
      "viaduct: harbour is no name of a certificate with a common name: CN=Recordings of the harbour,O=Example\n",
    ]);
  });

  const WRONG: readonly (readonly [name: string, chain: () => Promise<readonly string[]>, said: RegExp])[] = [
    ["of another key", async () => [await read("stamper.pem")], /it is of another key/],
    ["behind that of its authority", async () => [await read("below.pem"), await certify()], /has to be the first one/],
    [
      "before authorities in another order",
      async () => [await certify(), await read("root.pem"), await read("below.pem")],
      /The root did not issue the one before it, of Recordings of the harbour/,
    ],
    ["that has ended", async () => [await certify({ days: -1 })], /was not valid then/],
    ["for web servers", async () => [await certify({ as: "web" })], /is not for signing documents/],
    ["for other uses of the key", async () => [await certify({ as: "agreement" })], /is not for signing documents/],
    ["of an authority", async () => [await certify({ as: "authority" })], /is not for signing documents/],
    ["that is cut off", async () => [(await certify()).slice(0, 300)], /there is no certificate \(PEM\)/],
    ["before one that is cut off", async () => [await certify(), (await read("below.pem")).slice(0, 300)], /cut off/],
    [
      "that is garbage",
      async () => ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
      /cannot be read/,
    ],
    ["that is not there", async () => [], /there is no certificate/],
  ];
  for (const [name, chain, said] of WRONG)
    it(`is not taken where it is one ${name}, and nothing is changed`, async () => {
      const before = await readFile(own(), "utf8");
      const { code, err } = await take(...(await chain()));
      expect(err).to.match(said);
      expect(code).to.equal(2);
      expect(await readFile(own(), "utf8")).to.equal(before);
    });

  it("is not taken while a recording that broke off is not signed yet, and nothing is changed", async () => {
    const inCatalog = async (work: (catalog: Catalog) => Promise<unknown>): Promise<void> => {
      const catalog = await Catalog.open(join(recordings(), CATALOG_FILE));
      try {
        await work(catalog);
      } finally {
        await catalog.close();
      }
    };
    const before = await readFile(own(), "utf8");
    const cut = { file: "gate/2026-11-24/13/05-09.120Z-0.mp4", volume: MAIN_VOLUME };
    await inCatalog((catalog) => catalog.opening(cut));
    try {
      const { code, err } = await take(await certify(), await read("below.pem"));
      expect(err).to.include(`${cut.file} broke off, and would be signed under it. Start the bridge once`);
      expect(code).to.equal(1);
      expect(await readFile(own(), "utf8")).to.equal(before);
    } finally {
      await inCatalog((catalog) => catalog.abandoned(cut));
    }
  });

  it("is taken, shown, and carried by recordings from then on, which openssl and `viaduct verify --ca` trust", async () => {
    const before = (await verify()).out;
    expect(before).to.match(/\(Viaduct recordings, issued by itself\)/);
    const { code, err, out } = await take(await certify(), await read("below.pem"));
    expect(code, err).to.equal(0);
    aside = /kept as (\S+):/.exec(out)?.[1] ?? "";
    expect(aside).to.match(/evidence-cert\.\d{4}-\d\d-\d\d\.pem$/);
    expect((await take(await certify({ out: "once-more.pem" }), await read("below.pem"))).code, "renewed").to.equal(0);
    expect((await take(await readFile(own(), "utf8"))).err).to.include("signed with already");
    expect((await keys("status")).out).to.match(
      /^signed as: +Recordings of the harbour, issued by The below, until 2/m,
    );
    await ca.run("verify", "-CAfile", ca.file("root.pem"), "-untrusted", own(), own());
    await record(120_000);
  });

  it("neither breaks the chain nor makes anybody accused, whoever trusts what", async () => {
    await writeFile(at("authority.pem"), (await read("root.pem")) + (await read("below.pem")));
    const both = ["--certificate", own(), "--certificate", aside];
    const withCa = ["--certificate", aside, "--ca", at("authority.pem")];
    for (const [name, ...args] of [
      ["nobody"],
      ["both", ...both],
      ["the old one and the authority", ...withCa],
    ] as const) {
      const { code, out, err } = await verify(...args);
      expect({ code, err }, `${name}\n${out}`).to.deep.equal({ code: 0, err: "" });
      expect(out)
        .to.match(/\(Viaduct recordings, issued by itself\)/)
        .and.match(/\(Recordings of the harbour, issued by The below\)/);
    }
    const old = await verify("--certificate", aside);
    expect(old.code).to.equal(3);
    expect(old.out).to.match(
      /unsigned: signed by another certificate of the same key, \S+: give it with --certificate too/,
    );
    const { signers } = JSON.parse((await verify("--json", ...both)).out);
    expect(signers[0]).to.include.keys("fingerprint", "name", "issuer", "files");
  });

  it("is followed from an export to its authority, with the earlier one beside it where recordings of before are in it", async () => {
    await exportTo(at("out"));
    const both = await viaduct(["verify", at("out"), "--ca", at("authority.pem"), "--certificate", aside]);
    expect({ code: both.code, err: both.err }, both.out).to.deep.equal({ code: 0, err: "" });
    const alone = await viaduct(["verify", at("out"), "--ca", at("authority.pem")]);
    expect(alone.out).to.match(
      /unsigned: recordings in it are signed by another certificate, \S+: the certificate of Viaduct recordings/,
    );
    expect(alone.out).not.to.include("the export is signed by");
    expect(alone.code).to.equal(3);
  });

  it("of exports is asked for by a request of their RSA key, and taken for that one alone", async () => {
    const asked = await keys(
      "request",
      "--for",
      "exports",
      "--name",
      "CN=Exports of the harbour",
      "--out",
      at("x.csr"),
    );
    expect(asked.code, asked.err).to.equal(0);
    const text = await ca.run("req", "-in", at("x.csr"), "-verify", "-noout", "-text");
    expect(text)
      .to.match(/Public-Key: \(3072 bit\)/)
      .and.match(/CN ?= ?Exports of the harbour/);
    const chain = at("x-chain.pem");
    const takeIt = async (...certificates: readonly string[]) => {
      await writeFile(chain, certificates.join(""));
      return keys("certificate", "--for", "exports", "--chain", chain);
    };
    const other = await takeIt(await readFile(own(), "utf8"));
    expect([other.code, other.err]).to.satisfy(
      ([code, err]: [number, string]) => code === 2 && err.includes("viaduct keys request --for exports"),
    );
    const certificate = await certify({ out: "x.pem", request: at("x.csr") });
    const taken = await takeIt(certificate, await read("below.pem"));
    expect(taken.code, taken.err).to.equal(0);
    expect(taken.out).to.match(
      /^Exports carry the certificate in \S+export-cert\.pem .*kept as \S+export-cert\.2\S+\.pem/,
    );
    expect((await keys("status")).out).to.match(/^exports as: +Exports of the harbour, issued by The below, until 2/m);
  });

  it("of exports leads a receiver to the authority by openssl, with its root alone, and by the recorder's as before", async () => {
    const out = (...path: readonly string[]): string => at("by-authority", ...path);
    await exportTo(out());
    const papers = (name: string): string => out("certificates", name);
    const between = ["-untrusted", papers("authorities.pem")];
    await ca.run("verify", "-CAfile", ca.file("root.pem"), ...between, papers("export.pem"));
    const cms = ["cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any", "-out", "/dev/null"];
    const list = ["-in", out("SHA256SUMS.p7s"), "-content", out("SHA256SUMS")];
    await ca.run(...cms, ...list, "-CAfile", ca.file("root.pem"));
    await ca.run(...cms, ...list, "-CAfile", papers("export.pem"), "-partial_chain");
    const words = await readFile(out("README.txt"), "utf8");
    expect(words).to.include("openssl verify -CAfile authority.pem -untrusted certificates/authorities.pem");
    expect(words).to.include("Exports of the harbour, issued by The below");
    for (const [name, ...args] of [
      ["nobody"],
      ["the root", "--ca", ca.file("root.pem")],
      ["who records, as before", "--certificate", own(), "--certificate", aside],
      ["the one that signed it", "--certificate", papers("export.pem")],
    ] as const) {
      const { code, out: said, err } = await viaduct(["verify", out(), ...args]);
      expect({ code, err }, `${name}\n${said}`).to.deep.equal({ code: 0, err: "" });
    }
    const stranger = await viaduct(["verify", out(), "--ca", ca.file("stranger.pem")]);
    expect(stranger.code, stranger.out).to.equal(3);
    expect(stranger.out).to.include("the export is signed by");

    // What is enclosed proves nothing by itself, and garbage in it ends nothing.
    await writeFile(papers("authorities.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    const garbage = await viaduct(["verify", out(), "--ca", ca.file("root.pem")]);
    expect(garbage.out).to.match(/certificates\/authorities\.pem: changed/);
    expect(garbage.code, garbage.err).to.equal(1);
  });

  it("is trusted by its authority for what it signed alone, and not by another one", async () => {
    for (const [file, code, said] of [
      [at("authority.pem"), 3, /unsigned: signed by another certificate, \S+: the certificate of Viaduct recordings/],
      [
        ca.file("stranger.pem"),
        3,
        /unsigned: .*the certificate of Recordings of the harbour does not lead to the authority/,
      ],
      [ca.file("below.pem"), 3, /unsigned/],
    ] as const) {
      const found = await verify("--ca", file);
      expect(found.code, found.out).to.equal(code);
      expect(found.out).to.match(said);
    }
    const mine = (await verify("--ca", at("authority.pem"))).out.split("\n").filter((line) => line.endsWith(": ok"));
    expect(mine.length, "those of the new certificate").to.be.greaterThan(0);
    const authority = await verify("--certificate", ca.file("root.pem"));
    expect([authority.code, authority.err]).to.deep.equal([
      2,
      `viaduct: --certificate: ${ca.file("root.pem")} has certificates of authorities alone, which sign no recordings: give it with --ca\n`,
    ]);
  });

  it("is trusted where its authority has renewed a certificate of its own, whichever of the two stands first", async () => {
    const issuer = ["-CA", ca.file("root.pem"), "-CAkey", ca.file("root.key"), "-CAcreateserial"];
    const as = ["-extfile", ca.file("openssl.cnf"), "-extensions", "below", "-days", "-1"];
    const ended = ca.file("below-before.pem");
    await ca.run("x509", "-req", "-in", ca.file("below.csr"), ...issuer, ...as, "-out", ended);
    const [before, now] = [await readFile(ended, "utf8"), await read("below.pem")];
    for (const [name, text] of [
      ["before", before + now],
      ["after", now + before],
    ] as const) {
      await writeFile(at("renewed.pem"), text);
      const { code, out, err } = await verify("--ca", at("renewed.pem"), "--certificate", aside);
      expect({ code, err }, `the ended one ${name} the other\n${out}`).to.deep.equal({ code: 0, err: "" });
    }
    await writeFile(at("ended.pem"), before);
    expect((await verify("--ca", at("ended.pem"), "--certificate", aside)).out).to.match(
      /unsigned: .*the certificate of The below was not valid then/,
    );
  });
});
