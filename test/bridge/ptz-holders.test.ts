import { expect } from "chai";
import type { AuditEntry } from "../../auth/audit.ts";
import type { Principal } from "../../auth/principal.ts";
import { isFault } from "../../base/fault.ts";
import { SECOND } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { PtzHolders } from "../../bridge/client-side/ptz-holders.ts";
import { type FakeControl, fakeControl } from "../support/fake-control.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("who moves a camera", () => {
  let clock: VirtualClock;
  let audited: AuditEntry[];
  let holders: PtzHolders;
  let control: FakeControl;
  let camera: BridgedCamera;
  let changed: AbortController;

  const account = (name: string, kind: Principal["kind"]): Principal => {
    changed = new AbortController();
    return { accountId: name, name, kind, grants: [], now: () => clock.now(), revoked: changed.signal };
  };
  const take = (who: Principal): boolean => {
    try {
      holders.take(who, camera, "192.0.2.1");
      return true;
    } catch (thrown) {
      expect(isFault(thrown, "busy")).to.equal(true);
      return false;
    }
  };

  beforeEach(() => {
    clock = new VirtualClock();
    audited = [];
    holders = new PtzHolders({ clock, audit: { record: (entry) => void audited.push(entry) } });
    control = fakeControl();
    camera = { info: { id: "gate" }, control, removed: new AbortController().signal } as unknown as BridgedCamera;
  });

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
});
