import { expect } from "chai";
import { type AccessRequest, decide, demand, maySee } from "../../auth/access.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { allGrants, plainGrants, readGrants } from "../../auth/grants.ts";
import { ADMINISTRATOR, Policy } from "../../auth/policy.ts";
import type { EffectiveGrant, Grant, Principal } from "../../auth/principal.ts";
import type { Interface, Right } from "../../auth/right.ts";
import { isFault } from "../../base/fault.ts";
import { unixMillis } from "../../base/units.ts";

const RIGHTS: readonly Right[] = ["live", "playback", "adopt-camera", "manage-accounts", "read-status"];
const DOORS: readonly Interface[] = ["web", "api", "onvif", "rtsp", "cli"];
const EVERYTHING = Policy.empty.effective({ roles: [ADMINISTRATOR], grants: [] });
const CAMERA_RIGHTS: readonly Right[] = ["live", "playback"];

function principal(grants: readonly EffectiveGrant[], revoked = new AbortController().signal): Principal {
  return { accountId: "1", name: "somebody", kind: "integration", grants, now: () => unixMillis(0), revoked };
}

const kindOf = (who: Principal, what: AccessRequest, entries: AuditEntry[] = []): string => {
  try {
    demand({ record: (entry) => entries.push(entry) }, who, what);
    return "allowed";
  } catch (error) {
    return isFault(error, "denied") ? "denied" : isFault(error, "not-found") ? "not-found" : "other";
  }
};

describe("access", () => {
  // Every right granted on one camera through one door, against every right asked for, there and elsewhere.
  for (const granted of RIGHTS)
    for (const grantedDoor of DOORS)
      it(`${granted} on one camera through ${grantedDoor} allows that and nothing else`, () => {
        const who = principal([{ right: granted, cameras: new Set(["mine"]), interfaces: new Set([grantedDoor]) }]);
        const isWatching = CAMERA_RIGHTS.includes(granted);
        for (const right of RIGHTS)
          for (const door of DOORS)
            for (const camera of ["mine", "hidden"]) {
              const here = door === grantedDoor;
              const watched = CAMERA_RIGHTS.includes(right);
              const allowed = right === granted && here && (!watched || camera === "mine");
              const visible = isWatching && here && camera === "mine";
              const name = `${right} ${door} ${camera}`;
              expect(decide(who, { right, camera, interface: door }).allowed, name).to.equal(allowed);
              expect(maySee(who, camera, door), name).to.equal(visible);
              expect(kindOf(who, { right, camera, interface: door }), name).to.equal(
                allowed ? "allowed" : visible ? "denied" : "not-found",
              );
            }
      });

  it("is denied without any grant, and without a camera where one is needed", () => {
    for (const right of RIGHTS)
      expect(decide(principal([]), { right, camera: "c", interface: "web" }).allowed).to.equal(false);
    expect(decide(principal(EVERYTHING), { right: "live", interface: "web" }).allowed).to.equal(false);
  });
  it("to everything is what the first administrator has", () => {
    for (const right of RIGHTS)
      for (const door of DOORS)
        expect(decide(principal(EVERYTHING), { right, camera: "c", interface: door }).allowed).to.equal(true);
  });
  it("adds up over grants, in any order", () => {
    const grants: readonly EffectiveGrant[] = [
      { right: "live", cameras: new Set(["a"]), interfaces: "any" },
      { right: "live", cameras: "any", interfaces: new Set(["web"]) },
    ];
    for (const order of [grants, grants.toReversed()]) {
      expect(decide(principal(order), { right: "live", camera: "a", interface: "rtsp" }).allowed).to.equal(true);
      expect(decide(principal(order), { right: "live", camera: "b", interface: "web" }).allowed).to.equal(true);
      expect(decide(principal(order), { right: "live", camera: "b", interface: "rtsp" }).allowed).to.equal(false);
    }
  });
  it("ends with a change of the account", () => {
    const stop = new AbortController();
    const who = principal(EVERYTHING, stop.signal);
    stop.abort();
    expect(decide(who, { right: "live", camera: "c", interface: "web" }).allowed).to.equal(false);
    expect(maySee(who, "c", "web")).to.equal(false);
  });
  it("is written down in both cases, with the reason", () => {
    const entries: AuditEntry[] = [];
    const who = principal([{ right: "live", cameras: new Set(["a"]), interfaces: "any" }]);
    kindOf(who, { right: "live", camera: "a", interface: "rtsp", address: "192.0.2.7" }, entries);
    kindOf(who, { right: "live", camera: "b", interface: "rtsp" }, entries);
    kindOf(who, { right: "manage-accounts", interface: "web" }, entries);
    expect(entries.map(({ outcome, camera, why, address }) => [outcome, camera, why, address])).to.deep.equal([
      ["allowed", "a", "grant of live", "192.0.2.7"],
      ["denied", "b", "live is granted on other cameras", undefined],
      ["denied", undefined, "no grant of manage-accounts", undefined],
    ]);
  });
});

describe("grants in JSON", () => {
  it("read back as they were written", () => {
    const grants: readonly Grant[] = [
      { right: "live", cameras: new Set(["a", "b"]), interfaces: new Set(["rtsp"]) },
      {
        right: "playback",
        cameras: new Set(),
        groups: new Set(["outside"]),
        except: new Set(["vault"]),
        exceptGroups: new Set(["staff"]),
        interfaces: "any",
        hours: "office",
        maxAgeMs: 3_600_000,
        from: unixMillis(1_800_000_000_000),
        until: unixMillis(1_900_000_000_000),
      },
      { right: "live", cameras: "any", interfaces: "any", deny: true },
      { right: "read-status", cameras: "any", interfaces: "any" },
    ];
    expect(readGrants(JSON.parse(JSON.stringify(plainGrants(grants))))).to.deep.equal(grants);
  });
  for (const wrong of [
    undefined,
    {},
    [{}],
    [{ right: "root", cameras: "any", interfaces: "any" }],
    [{ right: "live", cameras: "all", interfaces: "any" }],
    [{ right: "live", cameras: "any", interfaces: "any", extra: 1 }],
    [{ right: "live", cameras: "any", interfaces: "any", deny: false }],
    [{ right: "live", cameras: "any", interfaces: "any", maxAgeMs: 1000 }],
    [{ right: "playback", cameras: "any", interfaces: "any", deny: true, maxAgeMs: 1000 }],
    [{ right: "playback", cameras: "any", interfaces: "any", maxAgeMs: 0 }],
    [{ right: "playback", cameras: "any", interfaces: "any", until: "tomorrow" }],
    [{ right: "playback", cameras: "any", interfaces: "any", hours: "Office hours" }],
    [{ right: "manage-accounts", cameras: "any", interfaces: "any", groups: ["outside"] }],
    Array.from({ length: 201 }, () => plainGrants(allGrants())[0]),
  ])
    it(`refuse ${(JSON.stringify(wrong) ?? "nothing").slice(0, 60)}`, () => {
      let kind = "none";
      try {
        readGrants(wrong);
      } catch (error) {
        kind = isFault(error, "invalid") ? "invalid" : "other";
      }
      expect(kind).to.equal("invalid");
    });
});
