import { expect } from "chai";
import type { Principal } from "../../../auth/principal.ts";
import { silentLog } from "../../../base/log.ts";
import { later, MINUTE, SECOND } from "../../../base/units.ts";
import { readEventFilter } from "../../../bridge/client-side/onvif/event-filter.ts";
import { Subscriptions } from "../../../bridge/client-side/onvif/subscriptions.ts";
import { EventBus } from "../../../bridge/event-bus.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

describe("subscriptions to events", () => {
  it("end when what their maker came by expires, long before they would by themselves", async () => {
    const clock = new VirtualClock();
    const who: Principal = {
      accountId: "a",
      name: "vms",
      kind: "integration",
      grants: [],
      now: () => clock.now(),
      revoked: new AbortController().signal,
    };
    const subscriptions = new Subscriptions(new EventBus(clock, silentLog()), clock);
    const open = (more: Partial<Principal>) =>
      subscriptions.open({
        who: { ...who, ...more },
        filter: readEventFilter(undefined, clock),
        changedOnly: false,
        lifeMs: 10 * MINUTE,
      });
    const [ending, staying] = [open({ until: later(clock.now(), MINUTE) }), open({})];
    await clock.advance(MINUTE - SECOND);
    expect([ending.over.aborted, staying.over.aborted]).to.deep.equal([false, false]);
    await clock.advance(2 * SECOND);
    expect([ending.over.aborted, staying.over.aborted]).to.deep.equal([true, false]);
    subscriptions.close();
    expect(clock.pending, "timers").to.equal(0);
  });
});
