import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import type { Account } from "../../../auth/account.ts";
import type { AuditEntry } from "../../../auth/audit.ts";
import { type CertificateAuthority, CertificateLogIns } from "../../../auth/certificate/certificate-log-ins.ts";
import { nameIn } from "../../../auth/certificate/certificate-names.ts";
import { LIST_BYTES, readRevocationList, serialOf } from "../../../auth/certificate/revocation-list.ts";
import { Revocations } from "../../../auth/certificate/revocations.ts";
import { Leases } from "../../../auth/leases.ts";
import { Throttle } from "../../../auth/throttle.ts";
import { UnauthenticatedFault } from "../../../auth/unauthenticated.ts";
import { systemClock } from "../../../base/clock.ts";
import { isFault } from "../../../base/fault.ts";
import { createLog } from "../../../base/log.ts";
import { DAY, MINUTE, SECOND, unixMillis } from "../../../base/units.ts";
import { type ClientAuthority, clientAuthority } from "../../support/client-authority.ts";
import { type MadeCertificate, makeCertificate } from "../../support/client-certificate.ts";
import { peer } from "../../support/peer.ts";
import { openSite, type Site, TLS, WATCH_ALL } from "../fixture.ts";

const UPN = "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:vms@site.test";

describe("certificates of an authority", () => {
  let folder: string;
  let ca: ClientAuthority;
  let other: ClientAuthority;
  let site: Site;
  let vms: Account;
  let revocations: Revocations;
  let logIns: CertificateLogIns;
  let version = 0;
  let isGone = false;
  const lines: string[] = [];
  const audited: AuditEntry[] = [];

  before(async function () {
    peer(this, "openssl");
    folder = await mkdtemp(join(tmpdir(), "viaduct-authority-"));
    ca = clientAuthority(folder, "site");
    other = clientAuthority(folder, "other");
  });
  after(() => folder && rm(folder, { recursive: true }));

  beforeEach(async () => {
    site = await openSite();
    await site.clock.advance(systemClock.now() + MINUTE - site.clock.now());
    vms = (await site.accounts.createIntegration({ name: "vms", grants: WATCH_ALL })).account;
    ca.publish();
    await open();
  });
  afterEach(async () => {
    await logIns.close();
    await site.database.close();
  });

  const open = async (more: Partial<CertificateAuthority> = {}): Promise<void> => {
    audited.length = 0;
    const certificates = [new X509Certificate(await readFile(ca.caFile))];
    const file = {
      version: async () => {
        if (isGone) throw new Error("there is no such file");
        return String(version);
      },
      read: () => readFile(ca.crlFile),
    };
    const log = createLog("info", { write: (line) => void lines.push(line) });
    revocations = new Revocations({ authority: "site", file, certificates, clock: site.clock, log });
    await revocations.refresh();
    const authority: CertificateAuthority = {
      name: "site",
      certificates,
      revocations,
      namedBy: "common-name",
      suffix: "",
      accounts: undefined,
      interfaces: new Set(["api", "rtsp"]),
      ...more,
    };
    const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
    const { accounts, clock } = site;
    logIns = new CertificateLogIns([authority], { accounts, throttle: new Throttle(clock), audit, clock });
  };
  const come = ({ pem }: MadeCertificate, door: "api" | "onvif" | "rtsp" = "api") => {
    const { raw, fingerprint256 } = new X509Certificate(pem);
    return logIns.verify(raw, fingerprint256, TLS, door);
  };
  /** The account, `undefined` of a stranger, or what the administrator reads. */
  const seen = (made: MadeCertificate, door?: "api" | "onvif" | "rtsp"): string | undefined => {
    try {
      return come(made, door)?.accountId;
    } catch (error) {
      if (error instanceof UnauthenticatedFault) return error.detail;
      throw error;
    }
  };
  /** Another list is in the file. */
  const publish = async (...more: readonly string[]): Promise<void> => {
    ca.publish(more.length === 0 ? undefined : more);
    version += 1;
    await site.clock.advance(30 * SECOND);
    await revocations.refresh().catch(() => undefined);
  };

  it("let in who is named by them, through the interfaces that are listed, and write it down", async () => {
    const made = ca.issue("vms");
    expect([seen(made), seen(made), seen(made, "rtsp")]).to.deep.equal([vms.id, vms.id, vms.id]);
    expect(seen(made, "onvif")).to.equal("it is not for onvif");
    const serial = serialOf(new X509Certificate(made.pem));
    expect(audited.map(({ who, action, subject }) => [who, action, subject])).to.deep.equal([
      ["vms", "use-token", `certificate ${serial} of site`],
      ["vms", "use-token", `certificate ${serial} of site`],
    ]);
  });

  it("of others, or signed by themselves, are strangers, whatever names stand in them", () => {
    expect(seen(other.issue("vms"))).to.equal(undefined);
    expect(seen(makeCertificate(folder, "vms"))).to.equal(undefined);
    // An issuer of that name, whose key it is not.
    const forged = clientAuthority(join(folder, "other"), "site");
    expect(seen(forged.issue("vms"))).to.equal(undefined);
  });

  it("are refused where they name nobody, or more than one, or are not a client's", async () => {
    for (const name of ["eve", "kim"]) await site.accounts.createIntegration({ name, grants: [] });
    for (const [holder, more, why] of [
      ["nobody-here", undefined, 'there is no account "nobody-here"'],
      ["alike", ["-utf8", "-subj", "/CN=\u212Aim"], /^there is no account/],
      ["twice", ["-subj", "/CN=vms/CN=eve"], "it has no common-name, or more than one"],
      ["none", ["-subj", "/O=site"], "it has no common-name, or more than one"],
      ["server", ["-subj", "/CN=vms", "-addext", "extendedKeyUsage=serverAuth"], /not for clients/],
      ["below", ["-subj", "/CN=vms", "-addext", "basicConstraints=CA:TRUE"], /authority/],
      ["weak", ["-subj", "/CN=vms", "-newkey", "rsa:1024"], /key of a kind/],
    ] as const)
      expect(seen(ca.issue(holder, more)), holder).to.match(typeof why === "string" ? new RegExp(`^${why}$`) : why);
  });

  it("are refused where they are signed by way of SHA-1, which somebody may have had made for another name", () => {
    const made = (hash: string) => ca.issue(hash, ["-subj", "/CN=vms"], hash);
    expect([seen(made("sha384")), seen(made("sha1"))]).to.deep.equal([
      vms.id,
      "its signature is of a kind that is not taken: SHA-256 on, RSA, ECDSA, Ed25519",
    ]);
  });

  it("are named by e-mail address or user principal name, without what these end with, or by a list", async () => {
    const mail = ca.issue("by-mail", ["-addext", "subjectAltName=email:VMS@site.test"]);
    const two = ca.issue("two-mails", ["-addext", "subjectAltName=email:vms@site.test,email:eve@site.test"]);
    const upn = ca.issue("by-upn", ["-addext", UPN]);
    await open({ namedBy: "mail", suffix: "@site.test" });
    expect([seen(mail), seen(two), seen(upn)]).to.deep.equal([
      vms.id,
      "it has no mail, or more than one",
      "it has no mail, or more than one",
    ]);
    await logIns.close();
    await open({ namedBy: "user-principal-name", suffix: "@site.test" });
    expect([seen(upn), seen(mail)]).to.deep.equal([vms.id, "it has no user-principal-name, or more than one"]);
    await logIns.close();
    await open({ namedBy: "user-principal-name", suffix: "@else.test" });
    expect(seen(upn)).to.match(/does not end with @else\.test/);
    await logIns.close();
    await open({ accounts: new Map([["recorder 7", "vms"]]) });
    expect([seen(ca.issue("listed", ["-subj", "/CN=recorder 7"])), seen(ca.issue("unlisted"))]).to.deep.equal([
      vms.id,
      'its common-name "unlisted" is not listed under accounts',
    ]);
  });

  it("end what runs by them when they are revoked, and leave what runs by others", async () => {
    const [lost, kept] = [ca.issue("lost", ["-subj", "/CN=vms"]), ca.issue("kept", ["-subj", "/CN=vms"])];
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    const run = (made: MadeCertificate) => {
      const who = come(made);
      if (who === undefined) throw new Error("unknown");
      return leases.open(who, [{ right: "live", camera: "gate", interface: "api" }]).ended;
    };
    const [losts, kepts] = [run(lost), run(kept)];
    ca.revoke("lost");
    await publish();
    expect([losts.aborted, kepts.aborted, seen(lost), seen(kept)]).to.deep.equal([
      true,
      false,
      "it is revoked",
      vms.id,
    ]);
    leases.close();
  });

  it("let nobody in, and end what runs, when the list is too old; another one lets them in again", async () => {
    const made = ca.issue("aging", ["-subj", "/CN=vms"]);
    const who = come(made);
    const leases = new Leases({ ...site, audit: { record: () => undefined } });
    if (who === undefined) throw new Error("unknown");
    const { ended } = leases.open(who, [{ right: "live", camera: "gate", interface: "api" }]);
    site.clock.setWall(unixMillis(site.clock.now() + 8 * DAY));
    await site.clock.advance(2 * SECOND);
    expect([ended.aborted, seen(made)]).to.deep.equal([true, "the list of revoked certificates of site is too old"]);
    await publish("-crldays", "20");
    expect(seen(made)).to.equal(vms.id);
    leases.close();
  });

  it("have the log told once that the list is too old, or cannot be read, and each day again while that lasts", async () => {
    const told = (): readonly string[] => lines.splice(0).map((line) => (JSON.parse(line) as { msg: string }).msg);
    const [tooOld, none, good] = [
      "its list is too old: nobody is let in by its certificates",
      "no list of revoked certificates",
      "its list of revoked certificates is good again",
    ];
    told();
    const pass = async (days: number): Promise<readonly string[]> => {
      site.clock.setWall(unixMillis(site.clock.now() + days * DAY));
      await site.clock.advance(5 * MINUTE);
      return told();
    };
    expect(await pass(1)).to.deep.equal([]);
    expect(await pass(8)).to.deep.equal([tooOld]);
    expect(await pass(0.5)).to.deep.equal([]);
    expect(await pass(0.6)).to.deep.equal([tooOld]);
    isGone = true;
    expect(await pass(0)).to.deep.equal([none, tooOld]);
    isGone = false;
    expect(await pass(0)).to.deep.equal([tooOld]);
    ca.publish(["-crldays", "30"]);
    version += 1;
    await revocations.refresh();
    expect(await pass(0)).to.deep.equal(["read which certificates are revoked", good]);
    expect(await pass(1)).to.deep.equal([]);
  });

  it("go on by the list before where another one is of no use, or is older", async () => {
    const made = ca.issue("going-on", ["-subj", "/CN=vms"]);
    for (const more of [
      ["-crldays", "7", "-crlexts", "partial"],
      ["-crl_lastupdate", "20200101000000Z", "-crldays", "9000"],
    ]) {
      await publish(...more);
      expect(seen(made), more.join(" ")).to.equal(vms.id);
    }
  });

  it("stay revoked where a list from before comes back", async () => {
    const made = ca.issue("played-back", ["-subj", "/CN=vms"]);
    ca.publish(["-crl_lastupdate", "20200101000000Z", "-crldays", "9000"]);
    const before = await readFile(ca.crlFile);
    ca.revoke("played-back");
    await publish();
    expect(seen(made)).to.equal("it is revoked");
    await writeFile(ca.crlFile, before);
    version += 1;
    await revocations.refresh().catch(() => undefined);
    expect(seen(made)).to.equal("it is revoked");
  });

  it("end when they expire, and with their account, for whom more is asked at the pages too", async () => {
    const made = ca.issue("expiring", ["-subj", "/CN=vms"]);
    await site.accounts.change(vms.id, { enabled: false });
    expect(seen(made)).to.equal("its account is out");
    await site.accounts.change(vms.id, { enabled: true });
    expect(seen(made)).to.equal(vms.id);
    site.clock.setWall(unixMillis(systemClock.now() + 31 * DAY));
    expect(seen(made)).to.equal("it, or its authority's own, has expired");
  });

  it("end when the certificate of their authority expires, unless it has renewed that", async () => {
    const brief = clientAuthority(folder, "brief", ["-newkey", "ed25519", "-days", "5"]);
    const made = brief.issue("vms");
    const old = new X509Certificate(await readFile(brief.caFile));
    brief.renew(["-days", "50"]);
    const renewed = new X509Certificate(await readFile(brief.caFile));
    site.clock.setWall(unixMillis(systemClock.now() + 6 * DAY));
    await open({ certificates: [old], revocations: undefined });
    expect(seen(made)).to.equal("it, or its authority's own, has expired");
    await open({ certificates: [old, renewed], revocations: undefined });
    expect(seen(made)).to.equal(vms.id);
  });

  describe("a list of revoked ones", () => {
    const now = () => site.clock.now();
    const authorities = async () => [new X509Certificate(await readFile(ca.caFile))];

    it("is read in PEM and DER, of authorities with RSA and Ed25519 too, with each serial number in it", async () => {
      for (const [name, key] of [
        ["rsa", ["-newkey", "rsa:2048"]],
        ["ed", ["-newkey", "ed25519"]],
        ["p384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
      ] as const) {
        const of = clientAuthority(folder, name, key);
        const serials = ["a", "b", "c"].map((holder) => serialOf(new X509Certificate(of.issue(holder).pem)));
        for (const holder of ["a", "c"]) of.revoke(holder);
        of.publish();
        const pem = await readFile(of.crlFile);
        const der = Buffer.from(pem.toString().replace(/-----[^-]+-----|\s/g, ""), "base64");
        const signers = [new X509Certificate(await readFile(of.caFile))];
        for (const bytes of [pem, der]) {
          const { revoked } = await readRevocationList(bytes, signers, now());
          expect(
            serials.map((one) => revoked.has(one)),
            name,
          ).to.deep.equal([true, false, true]);
        }
      }
    });

    it("names certificates with negative serial numbers too, which there should not be", async () => {
      const of = clientAuthority(folder, "negative");
      const issued = ["-0x05", "-0xC8", "0xFB"].map((serial) => of.issueNumbered(serial));
      of.revokeNumbers(["-05", "-C8"]);
      of.publish();
      const signers = [new X509Certificate(await readFile(of.caFile))];
      const { revoked } = await readRevocationList(await readFile(of.crlFile), signers, now());
      const isRevoked = (pem: string): boolean => revoked.has(serialOf(new X509Certificate(pem)));
      expect(issued.map(isRevoked)).to.deep.equal([true, true, false]);
    });

    it("that is long is read while everything else goes on", async () => {
      const of = clientAuthority(folder, "large");
      of.revokeNumbers(Array.from({ length: 5000 }, (_, at) => (0x100000 + at).toString(16).toUpperCase()));
      of.publish();
      const signers = [new X509Certificate(await readFile(of.caFile))];
      const list = await readFile(of.crlFile);
      let turns = 0;
      let isReading = true;
      const turn = (): void => {
        turns += 1;
        if (isReading) setImmediate(turn);
      };
      setImmediate(turn);
      const { revoked } = await readRevocationList(list, signers, now());
      isReading = false;
      expect(revoked.size).to.equal(5000);
      expect(turns).to.be.at.least(9);
    });

    it("is refused where somebody else has signed it, a byte is another, or it is of another time or part", async () => {
      const good = await readFile(ca.crlFile);
      const der = Buffer.from(good.toString().replace(/-----[^-]+-----|\s/g, ""), "base64");
      const refusal = async (bytes: Buffer, at = now()): Promise<string> => {
        try {
          await readRevocationList(bytes, await authorities(), at);
          return "";
        } catch (error) {
          return isFault(error, "invalid") ? (error.tell ?? "") : "no Fault";
        }
      };
      expect(await refusal(await readFile(other.crlFile))).to.match(/none of the authorities has signed it/);
      expect(await refusal(good, unixMillis(now() + 8 * DAY))).to.match(/another one should have been there/);
      expect(await refusal(good, unixMillis(now() - 8 * DAY))).to.match(/and not before/);
      ca.publish(["-crldays", "7", "-crlexts", "partial"]);
      expect(await refusal(await readFile(ca.crlFile))).to.match(/not a list of all/);
      const many = Buffer.alloc(LIST_BYTES).fill(Buffer.from([0x05, 0x00]));
      expect(await refusal(many)).to.match(/more than 1000 elements/);
      expect(await refusal(Buffer.concat([many, many]))).to.match(/longer than/);
      const [signer] = await authorities();
      await fc.assert(
        fc.asyncProperty(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
          const changed = Buffer.from(der);
          changed[at] = (changed[at] ?? 0) ^ by;
          try {
            await readRevocationList(changed, signer === undefined ? [] : [signer], now());
            return false;
          } catch (error) {
            return isFault(error, "invalid");
          }
        }),
      );
    });

    it("and names of certificates are never read out of what is no DER, and end with a Fault", () => {
      const { raw } = new X509Certificate(ca.issue("fuzzed", ["-subj", "/CN=vms", "-addext", UPN]).pem);
      fc.assert(
        fc.property(
          fc.nat(raw.length - 1),
          fc.nat(255),
          fc.constantFrom("common-name", "mail", "user-principal-name"),
          (at, byte, by) => {
            const changed = Buffer.from(raw);
            changed[at] = byte;
            for (const bytes of [changed, raw.subarray(0, at)])
              try {
                nameIn(bytes, by);
              } catch (error) {
                if (!isFault(error, "invalid")) throw error;
              }
          },
        ),
        { numRuns: 500 },
      );
    });
  });
});
