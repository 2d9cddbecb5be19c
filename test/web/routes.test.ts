import { expect } from "chai";
import type { Grant } from "../../auth/principal.ts";
import { SYSTEM_RIGHTS, type SystemRight } from "../../auth/right.ts";
import { routersOf } from "../../web/app.ts";
import type { Need } from "../../web/state.ts";
import { startWebSite, type WebSite } from "../support/web-site.ts";

/** Routes without a right in front: what is known before log-in, and lists that hold only what the caller may see. */
const OPEN: readonly string[] = [
  "GET /api/session",
  "POST /api/session",
  "DELETE /api/session",
  "POST /api/setup",
  "POST /api/session/factor",
  "PUT /api/session/factor",
  "DELETE /api/session/factor",
  "GET /api/about",
  "GET /api/cameras",
  // These ask for rights on the camera.
  "GET /api/cameras/:id/timeline",
  "POST /api/cameras/:id/bookmarks",
  "DELETE /api/cameras/:id/bookmarks/:mark",
  "POST /api/cameras/:id/locks",
  "DELETE /api/cameras/:id/locks/:mark",
  // A right over cameras, which is decided for each of them.
  "GET /api/exports",
  "POST /api/exports",
  "DELETE /api/exports/:id",
  "GET /api/exports/:id/file",
];

/** Of these, the ones that also answer those who are not logged in. */
const FOR_STRANGERS: readonly string[] = ["GET /api/session", "POST /api/session", "POST /api/setup"];

interface Route {
  readonly method: string;
  readonly path: string;
  /** The right in front of it. */
  readonly right: SystemRight | undefined;
}

/** Every route of the API, with the right that its first handler asks for. */
function walk(site: WebSite): readonly Route[] {
  const rights = new WeakMap<object, SystemRight>();
  const need: Need = (right) => {
    const check = (): Promise<void> => Promise.resolve();
    rights.set(check, right);
    return check;
  };
  return routersOf(site.options, need).flatMap((router) =>
    router.stack.flatMap(({ methods, path, stack }) =>
      methods
        .filter((method) => method !== "HEAD")
        .map((method) => ({
          method,
          path: String(path).replace(/(?<=.)\/$/, ""),
          right: rights.get(stack[0] as unknown as object),
        })),
    ),
  );
}

const nameOf = ({ method, path }: Route): string => `${method} ${path}`;
const addressOf = ({ path }: Route): string => path.replace(":id", "some-id").replace(":kind", "role");
const grantsOf = (...rights: readonly SystemRight[]): readonly Grant[] =>
  rights.map((right) => ({ right, cameras: "any", interfaces: "any" }));

describe("every route of the API", () => {
  let site: WebSite;
  let routes: readonly Route[];

  before(async () => {
    site = await startWebSite();
    routes = walk(site);
  });
  after(() => site.close());

  it("asks for a right first, or is one of the few open ones", () => {
    expect(routes.length).to.be.greaterThan(OPEN.length);
    expect(routes.filter(({ right }) => right === undefined).map(nameOf)).to.have.members([...OPEN]);
  });

  it("tells a stranger to log in", async () => {
    for (const route of routes.filter((one) => !FOR_STRANGERS.includes(nameOf(one)))) {
      const { status, json } = await site.stranger().send(route.method, addressOf(route));
      expect({ status, json }, nameOf(route)).to.deep.equal({ status: 401, json: { error: "Log in first." } });
    }
    expect(site.discovery.calls).to.deep.equal([]);
  });

  it("is refused to an account that has every right but this one", async () => {
    const all = Object.keys(SYSTEM_RIGHTS) as readonly SystemRight[];
    const cameras = (["live", "playback"] as const).map(
      (right) => ({ right, cameras: "any", interfaces: "any" }) as const,
    );
    for (const right of ["adopt-camera", "manage-accounts"] as const) {
      const client = await site.person(`without ${right}`, [
        ...cameras,
        ...grantsOf(...all.filter((one) => one !== right)),
      ]);
      const guarded = routes.filter((route) => route.right === right);
      expect(guarded, right).not.to.deep.equal([]);
      for (const route of guarded) {
        const { status, json } = await client.send(route.method, addressOf(route), { body: {} });
        expect({ status, json }, nameOf(route)).to.deep.equal({ status: 403, json: { error: "not allowed" } });
      }
    }
    expect(site.discovery.calls).to.deep.equal([]);
    expect(site.accounts.list()).to.have.length(2);
  });

  it("is refused to a right that holds on other interfaces only", async () => {
    const grants = [{ right: "manage-accounts", cameras: "any", interfaces: new Set(["onvif" as const]) }] as const;
    const client = await site.person("elsewhere", grants);
    expect((await client.send("GET", "/api/accounts")).status).to.equal(403);
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
