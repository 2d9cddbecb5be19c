import { getEventListeners } from "node:events";
import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import { Leases } from "../../auth/leases.ts";
import type { EffectiveGrant, Principal } from "../../auth/principal.ts";
import { isFault } from "../../base/fault.ts";
import { SECOND, unixMillis } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { PtzHolders } from "../../bridge/client-side/ptz-holders.ts";
import { Watch } from "../../bridge/client-side/watch.ts";
import { type FakeControl, fakeControl } from "../support/fake-control.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const MOVE: EffectiveGrant = { right: "ptz", cameras: "any", interfaces: "any" };

describe("who moves a camera", () => {
  let clock: VirtualClock;
  let audited: AuditEntry[];
  let holders: PtzHolders;
  let control: FakeControl;
  let camera: BridgedCamera;
  let removed: AbortController;
  let changed: AbortController;
  let leases: Leases;
  /** What is left of an account that was changed. */
  let left: Principal | undefined;

  const account = (name: string, kind: Principal["kind"], grants: readonly EffectiveGrant[] = [MOVE]): Principal => {
    changed = new AbortController();
    return { accountId: name, name, kind, grants, now: () => clock.now(), revoked: changed.signal };
  };
  const take = (who: Principal, needs: "ptz" | "presets" = "ptz"): boolean => {
    try {
      holders.take(who, camera, needs, { interface: "onvif", address: "192.0.2.1" });
      return true;
    } catch (thrown) {
      expect(isFault(thrown, "busy")).to.equal(true);
      return false;
    }
  };

  beforeEach(() => {
    clock = new VirtualClock();
    audited = [];
    removed = new AbortController();
    left = undefined;
    control = fakeControl();
    camera = { info: { id: "gate" }, control, removed: removed.signal } as unknown as BridgedCamera;
    const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
    leases = new Leases({ accounts: { principalOf: () => left, credentialOf: () => "one" }, audit, clock });
    const watch = new Watch({ list: () => [camera], find: () => camera }, audit, leases);
    holders = new PtzHolders({ clock, audit, watch });
  });
  afterEach(() => {
    holders.close();
    expect([clock.pending, leases.size]).to.deep.equal([0, 0]);
  });

  const stops = (): readonly string[] => control.asked.map(([operation]) => operation);

  it("is one of those of the same kind, until it has rested for ten seconds", async () => {
    for (const kind of ["integration", "person"] as const) {
      const [one, other] = [account(`one ${kind}`, kind), account(`other ${kind}`, kind)];
      expect([take(one), take(other), take(one)]).to.deep.equal([true, false, true]);
      await clock.advance(9 * SECOND);
      expect([take(one), take(other)]).to.deep.equal([true, false]);
      await clock.advance(10 * SECOND);
      expect([take(other), take(one)]).to.deep.equal([true, false]);
      await clock.advance(10 * SECOND);
    }
  });

  it("is a person rather than an external system, and not the other way round", () => {
    const [system, person] = [account("vms", "integration"), account("ada", "person")];
    expect([take(system), take(person), take(system)]).to.deep.equal([true, true, false]);
  });

  it("is told with beginning and end", async () => {
    const [system, person] = [account("vms", "integration"), account("ada", "person")];
    take(system);
    await clock.advance(3 * SECOND);
    take(person);
    await clock.advance(10 * SECOND);
    expect(audited.map(({ who, action, camera: which }) => [who, action, which])).to.deep.equal([
      ["vms", "ptz-begin", "gate"],
      ["vms", "ptz-end", "gate"],
      ["ada", "ptz-begin", "gate"],
      ["ada", "ptz-end", "gate"],
    ]);
    expect(audited[1]?.why).to.match(/^ptz [0-9a-f]{8}, after 3 s$/);
  });

  it("is nobody when the account was changed: the camera is stopped", () => {
    const system = account("vms", "integration");
    take(system);
    changed.abort();
    expect(control.asked.map(([operation]) => operation)).to.deep.equal(["Stop"]);
    expect(take(account("other", "integration"))).to.equal(true);
  });

  it("moves it no longer than the right to it lasts, although nobody changes the account", async () => {
    take(account("vms", "integration", [{ ...MOVE, until: unixMillis(clock.now() + 30 * SECOND) }]));
    await clock.advance(29 * SECOND);
    expect(stops()).to.deep.equal([]);
    await clock.advance(2 * SECOND);
    expect(stops()).to.deep.equal(["Stop"]);
  });

  it("is stopped when the account is changed after it has rested, as long as a move may last", async () => {
    for (const [afterMs, stopped] of [
      [59 * SECOND, ["Stop"]],
      [61 * SECOND, []],
    ] as const) {
      control = fakeControl();
      camera = { ...camera, control };
      take(account("vms", "integration"));
      await clock.advance(afterMs);
      changed.abort();
      expect(stops(), `${afterMs} ms`).to.deep.equal(stopped);
    }
  });

  it("goes on moving it when the account is changed and keeps the right", () => {
    take(account("vms", "integration"));
    const change = changed;
    left = account("vms", "integration");
    change.abort();
    expect(stops()).to.deep.equal([]);
    expect(take(left)).to.equal(true);
  });

  it("answers for a move that somebody else has taken over without moving", async () => {
    take(account("vms", "integration"));
    const system = changed;
    await clock.advance(SECOND);
    expect(take(account("ada", "person", [{ ...MOVE, right: "presets" }]), "presets")).to.equal(true);
    system.abort();
    expect(stops()).to.deep.equal(["Stop"]);
    expect(take(account("other", "integration"))).to.equal(false);
  });

  it("is nobody whose right has ended between asking and moving, and the one before goes on", () => {
    expect(take(account("vms", "integration"))).to.equal(true);
    const system = changed;
    const late = account("ada", "person", []);
    expect(() => holders.take(late, camera, "ptz", { interface: "onvif", address: "192.0.2.1" }))
      .to.throw()
      .with.property("kind", "denied");
    expect(stops()).to.deep.equal([]);
    expect(audited.filter(({ who }) => who === "ada").map(({ action }) => action)).to.deep.equal(["end-ptz"]);
    expect(take(account("other", "integration"))).to.equal(false);
    system.abort();
    expect(stops()).to.deep.equal(["Stop"]);
  });

  it("is let go with the camera, which nobody stops any more", () => {
    take(account("vms", "integration"));
    removed.abort();
    expect([stops(), leases.size]).to.deep.equal([[], 0]);
    expect(audited.at(-1)?.action).to.equal("ptz-end");
  });

  it("leaves nothing behind by moving again and again", () => {
    const system = account("vms", "integration");
    for (let move = 0; move < 100; move += 1) take(system);
    expect([leases.size, getEventListeners(system.revoked, "abort").length]).to.deep.equal([1, 1]);
    holders.close();
    expect(getEventListeners(system.revoked, "abort")).to.have.length(0);
  });
});
