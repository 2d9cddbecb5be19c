import { expect } from "chai";
import { DOORS } from "../../scripts/doors.ts";
import { isOverProduct, nameOf, type Route, routesOf } from "../support/web-routes.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

describe("every route of the API", () => {
  let site: WebSite;
  let routes: readonly Route[];

  before(async () => {
    site = await startWebSite();
    routes = routesOf(site.options);
  });
  after(() => site.close());

  it("asks for its right before it looks at what it is sent, where that is one over the product", () => {
    const doors = Object.entries(DOORS.web).filter(([needs]) => isOverProduct(needs));
    const expected = doors.flatMap(([right, names]) => names.map((name) => [name, right]));
    expect(
      routes.flatMap((route) => (route.right === undefined ? [] : [[nameOf(route), route.right]])),
    ).to.have.deep.members(expected.filter(([name]) => name?.startsWith("WS ") === false));
  });

  it("leaves an audit entry with account, right, address and outcome", async () => {
    const client = await site.person("curious", []);
    await client.send("GET", "/api/accounts");
    expect(site.audited.at(-1)).to.deep.equal({
      who: "curious",
      action: "manage-accounts",
      interface: "web",
      outcome: "denied",
      why: "no grant of manage-accounts",
      address: "127.0.0.1",
    });
  });
});
