import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ApiTokens } from "../../auth/api-tokens.ts";
import { readClientCertificate } from "../../auth/client-certificate.ts";
import { Leases } from "../../auth/leases.ts";
import { Throttle } from "../../auth/throttle.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { DAY, later, MINUTE, SECOND, unixMillis } from "../../base/units.ts";
import { makeCertificate } from "../support/client-certificate.ts";
import { peer } from "../support/peer.ts";
import { kindOf, openSite, type Site, TLS, WATCH_ALL } from "./fixture.ts";

describe("certificates of clients", () => {
  let folder: string;

  before(async function () {
    peer(this, "openssl");
    folder = await mkdtemp(join(tmpdir(), "viaduct-certificates-"));
  });
  after(() => folder && rm(folder, { recursive: true }));

  describe("are refused where there is", () => {
    const now = (): typeof at => systemClock.now();
    const at = systemClock.now();
    const rows: readonly (readonly [string, () => string | Promise<string>, RegExp])[] = [
      ["none", () => "hello", /not exactly one/],
      [
        "what only looks like one",
        () => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        /cannot be read/,
      ],
      ["a chain", () => makeCertificate(folder, "chain").pem.repeat(2), /not exactly one/],
      [
        "its private key",
        async () => {
          const { pem, keyFile } = makeCertificate(folder, "with-key");
          return pem + (await readFile(keyFile, "utf8"));
        },
        /private key/,
      ],
      [
        "that of an authority",
        () => makeCertificate(folder, "ca", ["-addext", "basicConstraints=critical,CA:TRUE"]).pem,
        /authority/,
      ],
      [
        "that of a server alone",
        () =>
          makeCertificate(folder, "server", [
            "-addext",
            "basicConstraints=CA:FALSE",
            "-addext",
            "extendedKeyUsage=serverAuth",
          ]).pem,
        /not for clients/,
      ],
      [
        "a key of RSA with 1024 bits",
        () => makeCertificate(folder, "weak", ["-newkey", "rsa:1024"]).pem,
        /key of a kind/,
      ],
      ["too much", () => `${makeCertificate(folder, "long").pem}${" ".repeat(20_000)}`, /longer than/],
    ];
    for (const [name, make, why] of rows)
      it(name, async () => {
        const pem = await make();
        expect(() => readClientCertificate(pem, now())).to.throw(why);
      });

    it("one that is not good yet, or no longer", () => {
      const { pem } = makeCertificate(folder, "short", ["-days", "2"]);
      expect(() => readClientCertificate(pem, later(at, -DAY))).to.throw(/not good before/);
      expect(() => readClientCertificate(pem, later(at, 3 * DAY))).to.throw(/has expired/);
    });
  });

  it("are known by what openssl says is their fingerprint, with or without a usage", async function () {
    for (const more of [[], ["-addext", "basicConstraints=CA:FALSE", "-addext", "extendedKeyUsage=clientAuth"]]) {
      const { pem, certFile } = makeCertificate(folder, "client", more);
      const { stdout } = await peer(this, "openssl").run([
        "x509",
        "-in",
        certFile,
        "-noout",
        "-fingerprint",
        "-sha256",
      ]);
      const { fingerprint } = readClientCertificate(pem, systemClock.now());
      expect(stdout.toString().trim().toLowerCase()).to.equal(`sha256 fingerprint=${fingerprint}`.toLowerCase());
    }
  });

  describe("as tokens", () => {
    let site: Site;
    let tokens: ApiTokens;
    let id: string;
    let pem: string;
    const open = (): Promise<ApiTokens> =>
      ApiTokens.open({
        ...site,
        query: site.database.query,
        throttle: new Throttle(site.clock),
        audit: { record: () => undefined },
        log: silentLog(),
      });

    beforeEach(async () => {
      site = await openSite();
      // Beyond the instant at which the certificates of each test will have been made.
      await site.clock.advance(systemClock.now() + MINUTE - site.clock.now());
      id = (await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL })).account.id;
      tokens = await open();
      ({ pem } = makeCertificate(folder, "vms", ["-days", "30"]));
    });
    afterEach(async () => {
      await tokens.close();
      await site.database.close();
    });
    const register = (more: object = {}) => tokens.register(id, { name: "machine", ...more }, pem);

    it("open what their account may at their interfaces, over a restart, and no secret opens with them", async () => {
      const { certificate = "" } = await register({ interfaces: ["onvif"] });
      tokens = await open();
      expect(tokens.list(id)[0]).to.include({ name: "machine", certificate });
      expect(tokens.verifyCertificate(certificate, TLS, "onvif")).to.include({ accountId: id, name: "vms" });
      expect(await kindOf(() => tokens.verifyCertificate(certificate, TLS, "rtsp"))).to.equal("unauthenticated");
      expect(tokens.verifyCertificate(certificate.toLowerCase(), TLS, "onvif")).to.equal(undefined);
      for (const text of [certificate, `certificate ${certificate}`])
        expect(await kindOf(() => tokens.verify(text, TLS, "onvif"))).to.equal("unauthenticated");
    });

    it("are registered once, and until they expire at most", async () => {
      const { expires = 0 } = await register({ expires: later(site.clock.now(), 1000 * DAY) });
      expect(expires - site.clock.now()).to.be.within(29 * DAY, 30 * DAY + SECOND);
      expect(await kindOf(() => register({ name: "other" }))).to.equal("invalid");
      const { certificate = "" } = tokens.list(id)[0] ?? {};
      await site.clock.advance(31 * DAY);
      expect(await kindOf(() => tokens.verifyCertificate(certificate, TLS, "api"))).to.equal("unauthenticated");
    });

    it("end what runs by them when they are revoked, when they expire, and with the account", async () => {
      const leases = new Leases({ ...site, audit: { record: () => undefined } });
      const running = async (name: string, expires: number) => {
        ({ pem } = makeCertificate(folder, name, ["-days", "30"]));
        const token = await register({ name, expires: unixMillis(expires) });
        const who = tokens.verifyCertificate(token.certificate ?? "", TLS, "api");
        if (who === undefined) throw new Error("unknown");
        return { token, lease: leases.open(who, [{ right: "live", camera: "gate", interface: "api" }]) };
      };
      const far = site.clock.now() + 20 * DAY;
      const [revoked, expiring, of] = [
        await running("revoked", far),
        await running("expiring", site.clock.now() + 10 * SECOND),
        await running("of-account", far),
      ];
      const over = (): readonly boolean[] => [revoked, expiring, of].map(({ lease }) => lease.ended.aborted);
      await tokens.revoke(id, revoked.token.id);
      expect(over()).to.deep.equal([true, false, false]);
      await site.clock.advance(11 * SECOND);
      expect(over()).to.deep.equal([true, true, false]);
      await site.accounts.change(id, { enabled: false });
      expect(over()).to.deep.equal([true, true, true]);
      leases.close();
    });
  });
});
