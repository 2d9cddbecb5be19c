import { expect } from "chai";
import type { Refusal } from "../../bridge/client-side/refusal.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

describe("what external systems were refused, in the API", () => {
  let site: WebSite;
  before(async () => {
    site = await startWebSite();
  });
  after(() => site.close());

  it("is told in words, newest first, and of one client alone where it is named", async () => {
    const at = site.clock.now();
    const base = {
      interface: "onvif",
      what: "tds:GetScopes",
      first: at,
      last: at,
      count: 1,
      code: "wrong-secret",
    } as const;
    const all: readonly Refusal[] = [
      { ...base, address: "10.2.0.9", account: "vms", accountState: "disabled" },
      { ...base, address: "10.2.0.8" },
    ];
    site.refusals.push(...all);
    const administrator = await site.administrator();
    const { json } = await administrator.send("GET", "/api/refusals");
    expect((json as { refusals: readonly object[] }).refusals).to.have.length(2);
    const one = await administrator.send("GET", "/api/refusals?client=VMS&client=other");
    expect(one.json).to.deep.equal({
      refusals: [
        {
          ...all[0],
          first: "2026-01-01T00:00:00.000Z",
          last: "2026-01-01T00:00:00.000Z",
          says: 'the account "vms" is disabled',
          next: "enable it, if it should log in",
        },
      ],
    });
  });
});
