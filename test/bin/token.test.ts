import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeCertificate } from "../support/client-certificate.ts";
import { peer } from "../support/peer.ts";
import { type Ended, viaduct, writeConfig } from "../support/viaduct.ts";

describe("viaduct token", () => {
  let folder = "";
  let config = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-token-"));
    config = await writeConfig(folder);
    await viaduct(["account", "add", "status", "--live", "any", "--config", config]);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const token = (...args: readonly string[]): Promise<Ended> => viaduct(["token", ...args, "--config", config]);

  it("makes one, shows it once, keeps it nowhere, and takes it away again", async () => {
    const { code, out, err } = await token(
      "add",
      "status",
      "page",
      "--from",
      "10.2.0.0/24",
      "--expires",
      "2099-01-01Z",
    );
    expect([code, err]).to.deep.equal([2, "viaduct: a token expires later than now, and within ten years; or never\n"]);
    expect(out).to.equal("");
    const made = await token("add", "status", "page", "--from", "10.2.0.0/24", "--expires", "never");
    expect(made.out).to.match(/^vdt_\w{45}\n$/);
    expect(made.err).to.equal("The token is shown this once; it cannot be shown again.\n");
    expect(await readFile(join(folder, "data/viaduct.db"), "latin1")).not.to.include(made.out.trim().slice(4));
    expect((await token("list", "status")).out).to.equal("page  api from 10.2.0.0/24; never expires; never used\n");
    const [listed] = JSON.parse((await token("list", "status", "--json")).out) as {
      networks: unknown;
      expires: unknown;
    }[];
    expect([listed?.networks, listed?.expires]).to.deep.equal([["10.2.0.0/24"], null]);
    expect((await token("remove", "status", "page")).out).to.equal("The token page of status is revoked.\n");
    expect((await token("list", "status")).out).to.equal("status has no tokens.\n");
    const audit = await readFile(join(folder, "data/audit.log"), "utf8");
    expect([audit.match(/"make-token"/g)?.length, audit.match(/"revoke-token"/g)?.length]).to.deep.equal([1, 1]);
  });

  it("takes a client's certificate in the place of a secret", async function () {
    peer(this, "openssl");
    const { certFile, keyFile } = makeCertificate(folder, "machine", ["-days", "30"]);
    const made = await token("add", "status", "machine", "--certificate", certFile, "--interface", "onvif", "rtsp");
    expect(made.out).to.match(/^The client with the certificate [0-9A-F:]{95} comes as status, until 20\S+Z\.\n$/);
    expect(made.err).to.match(/where clientSide\.clientCertificates is enabled/);
    expect((await token("list", "status")).out).to.match(
      /^machine {2}onvif, rtsp; expires \S+; never used; certificate [0-9A-F:]{95}\n$/,
    );
    const [other, none] = [
      await token("add", "status", "key", "--certificate", keyFile),
      await token("add", "status", "none", "--certificate", join(folder, "none.pem")),
    ];
    expect(other).to.deep.include({ code: 2, out: "" });
    expect(other.err).to.match(/comes with its private key/);
    expect(none.err).to.match(/none\.pem cannot be read/);
    expect((await token("remove", "status", "machine")).code).to.equal(0);
  });

  it("says what is wrong with what is asked for", async () => {
    for (const [args, words] of [
      [["add", "nobody", "page"], 'viaduct: there is no account "nobody"\n'],
      [["add", "status", "x", "--expires", "soon"], /expires in days, as 90d/],
      [["add", "status", "x", "--interface", "web"], /a token is for api, onvif, rtsp, not "web"/],
      [["add", "status", "x", "--from", "example.org"], /neither an IP address nor a range/],
      [["remove", "status", "x"], 'viaduct: status has no token "x"\n'],
    ] as const) {
      const { code, err } = await token(...args);
      expect(code, args.join(" ")).to.be.oneOf([1, 2]);
      if (typeof words === "string") expect(err).to.equal(words);
      else expect(err).to.match(words);
    }
  });
});
