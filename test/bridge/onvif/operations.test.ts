import { expect } from "chai";
import { RIGHTS } from "../../../auth/right.ts";
import type { SearchSessions } from "../../../bridge/client-side/onvif/search-sessions.ts";
import { onvifServices } from "../../../bridge/client-side/onvif/services.ts";
import type { OnvifSite } from "../../../bridge/client-side/onvif/site.ts";
import type { Subscriptions } from "../../../bridge/client-side/onvif/subscriptions.ts";
import type { EventBus } from "../../../bridge/event-bus.ts";
import { parseGroupRange } from "../../../net/multicast.ts";
import { officialFolder, officialValidator } from "../../support/official-schemas.ts";
import { askedWith, CALLS, LEVELS, OVER_TLS } from "../../support/onvif-calls.ts";
import { OnvifClient, PATHS, type ServicePrefix } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { testIdentity, withRoles } from "../../support/onvif-users.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

describe("the ONVIF operations", () => {
  let site: OnvifTestSite;
  let client: OnvifClient;
  const valid = officialValidator();

  before(async () => {
    const groups = parseGroupRange("239.192.0.0/30") ?? { first: 0, count: 0 };
    site = await startOnvifSite({
      multicast: { groups, port: 20_000, ttl: 1 },
      levels: LEVELS,
      identity: await testIdentity(),
    });
    await withRoles(site.accounts, LEVELS.values());
    client = new OnvifClient(
      site,
      await site.account(RIGHTS.map((right) => ({ right, cameras: "any", interfaces: "any" }))),
    );
  });
  after(() => site.close());

  for (const [prefix, operations] of Object.entries(CALLS) as [ServicePrefix, (typeof CALLS)[ServicePrefix]][])
    for (const [operation, contents] of Object.entries(operations))
      it(`answers ${prefix}:${operation} as the official schemas want it`, async () => {
        for (const content of contents) {
          const reply = await client.call(
            prefix,
            operation,
            await askedWith(client, prefix, content),
            OVER_TLS.has(operation),
          );
          expect(reply.fault, content).to.equal(undefined);
          expect(reply.status, content).to.equal(200);
          expect(reply.element.name).to.equal(`${operation}Response`);
          expect(valid(reply.body), content).to.deep.equal([]);
        }
      });

  it("are held against the official schemas", function () {
    officialFolder(this);
  });

  it("are all asked for here", () => {
    // Only the names are looked at.
    const services = onvifServices({
      site: {} as OnvifSite,
      bus: {} as EventBus,
      subscriptions: {} as Subscriptions,
      searches: {} as SearchSessions,
      clock: new VirtualClock(),
    });
    // Those of subscriptions, which have addresses of their own, have tests of their own; device I/O answers two messages of the device
    // service besides.
    const own = services.filter(({ table, path }) => PATHS[table.prefix as ServicePrefix] === path);
    for (const { table, handlers } of own)
      expect(Object.keys(CALLS[table.prefix as ServicePrefix]), table.prefix).to.have.members([...handlers.keys()]);
  });
});
