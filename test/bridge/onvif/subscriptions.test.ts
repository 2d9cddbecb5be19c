import { expect } from "chai";
import type { Principal } from "../../../auth/principal.ts";
import { silentLog } from "../../../base/log.ts";
import { later, MINUTE, SECOND } from "../../../base/units.ts";
import { readEventFilter } from "../../../bridge/client-side/onvif/event-filter.ts";
import { Subscriptions } from "../../../bridge/client-side/onvif/subscriptions.ts";
import { EventBus } from "../../../bridge/event-bus.ts";
import { openSite } from "../../auth/fixture.ts";
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

  for (const [what, afterMs, end] of [
    ["when the time is over for which their system is armed", MINUTE - SECOND, undefined],
    ["when that is ended early", SECOND, "disarm"],
    ["when it is armed for longer, as with every change of the account", SECOND, "arm"],
  ] as const)
    it(`end within a second ${what}`, async () => {
      const { accounts, clock, database } = await openSite();
      const { id } = (await accounts.createIntegration({ name: "vms", grants: [], onlyWhileArmed: true })).account;
      await accounts.arm(id, MINUTE);
      const subscriptions = new Subscriptions(new EventBus(clock, silentLog()), clock);
      const subscription = subscriptions.open({
        who: accounts.principalOf(id) ?? expect.fail(),
        filter: readEventFilter(undefined, clock),
        changedOnly: false,
        lifeMs: 10 * MINUTE,
      });
      await clock.advance(afterMs);
      if (end === "disarm") await accounts.disarm(id);
      if (end === "arm") await accounts.arm(id, 2 * MINUTE);
      expect(subscription.over.aborted).to.equal(false);
      await clock.advance(SECOND);
      expect(subscription.over.aborted).to.equal(true);
      await accounts.close();
      expect(clock.pending, "timers").to.equal(0);
      await database.close();
    });
});
