import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Grant } from "../../../auth/principal.ts";
import { RIGHTS } from "../../../auth/right.ts";
import { consumerSide } from "../../../net/consumers.ts";
import { resolveName } from "../../../net/resolve.ts";
import { askedWith, CALLS, LEVELS, OVER_TLS } from "../../support/onvif-calls.ts";
import { OnvifClient, type Reply, type ServicePrefix, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { testIdentity, withRoles } from "../../support/onvif-users.ts";

const PAGE = join(import.meta.dirname, "../../../docs/reference/onvif-operations.md");

/** A line of the page. */
interface Row {
  readonly prefix: ServicePrefix | "wsnt";
  readonly operation: string;
  /** Path below `/onvif/`, with a `/` at the end where the name of a subscription stands behind it. */
  readonly at: string;
  readonly access: string;
  /** Empty: none over a single camera. */
  readonly right: string;
  readonly result: string;
}

function rows(): readonly Row[] {
  const lines = readFileSync(PAGE, "utf8").matchAll(
    /^\| `(\w+):(\w+)` \| (\w+\/?) \| (\w+) \| +(?:`(\w+)` )?\| `?(\w+)`? \|$/gm,
  );
  return [...lines].map(([, prefix, operation = "", at = "", access = "", right = "", result = ""]) => ({
    prefix: prefix as Row["prefix"],
    operation,
    at,
    access,
    right,
    result,
  }));
}

/** What of a subscription is asked for at its own address: of one that is fetched from, or of one that is sent to. */
const OF_SUBSCRIPTION: Readonly<Record<string, { readonly content: string; readonly sent?: true }>> = {
  PullMessages: { content: "<tev:Timeout>PT0S</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit>" },
  Seek: { content: "<tev:UtcTime>2026-01-01T00:00:00Z</tev:UtcTime>" },
  SetSynchronizationPoint: { content: "" },
  Renew: { content: "<wsnt:TerminationTime>PT2M</wsnt:TerminationTime>" },
  Unsubscribe: { content: "" },
  PauseSubscription: { content: "", sent: true },
  ResumeSubscription: { content: "", sent: true },
};
const SUBSCRIBE = "<wsnt:ConsumerReference><wsa:Address>http://127.0.0.1:9/</wsa:Address></wsnt:ConsumerReference>";

describe("the page of ONVIF operations", () => {
  let site: OnvifTestSite;
  let everything: OnvifClient;
  const nobody = (): OnvifClient => new OnvifClient(site);
  const grantsBut = (right: string): readonly Grant[] =>
    RIGHTS.filter((one) => one !== right).map((one) => ({ right: one, cameras: "any", interfaces: "any" }));

  before(async () => {
    const side = consumerSide({ listed: ["127.0.0.1/32"], cameraInterfaces: [] });
    site = await startOnvifSite({
      consumers: { side, resolve: resolveName, plainText: true, ca: undefined },
      levels: LEVELS,
      identity: await testIdentity(),
    });
    await withRoles(site.accounts, LEVELS.values());
    everything = new OnvifClient(site, await site.account(grantsBut("")), "token");
  });
  after(() => site.close());

  const all = rows();

  it("says that this is a self-test, and no certificate", () => {
    expect(readFileSync(PAGE, "utf8"))
      .to.match(/self-test/)
      .and.to.match(/is not certified/);
  });

  it("is read here line by line", () => {
    const lines = readFileSync(PAGE, "utf8").match(/^\| `/gm);
    expect(all.length).to.equal(lines?.length).and.to.be.greaterThan(300);
  });

  for (const row of all)
    it(`is right of ${row.prefix}:${row.operation} at ${row.at}: ${row.access}, ${row.right || "no right"}, ${row.result}`, async () => {
      expect(resultOf(await asked(everything, row)), "with every right").to.equal(row.result);
      const outside = resultOf(await asked(nobody(), row));
      expect(outside, "without a log-in").to.equal(row.access === "PRE_AUTH" ? row.result : "NotAuthorized");
      if (row.right === "") return;
      const less = new OnvifClient(site, await site.account(grantsBut(row.right)), "token");
      expect(resultOf(await asked(less, row)), `without the right to ${row.right}`).to.equal("NotAuthorized");
    });

  const resultOf = ({ fault }: Reply): string => (fault === undefined ? "answered" : (fault.subcodes[0] ?? fault.code));

  async function asked(client: OnvifClient, { prefix, operation, at, result }: Row): Promise<Reply> {
    if (result !== "answered")
      return client.call(prefix, operation, "", false, at.endsWith("/") ? await subscription() : `/onvif/${at}`);
    if (operation === "Subscribe") return client.call("wsnt", operation, SUBSCRIBE);
    const own = prefix === "tev" || prefix === "wsnt" ? OF_SUBSCRIPTION[operation] : undefined;
    if (own !== undefined) return client.call(prefix, operation, own.content, false, await subscription(own.sent));
    const [content] = prefix === "wsnt" ? [] : (CALLS[prefix][operation] ?? []);
    if (content === undefined) throw new Error(`nothing to ask ${prefix}:${operation} with`);
    if (prefix === "wsnt") throw new Error(`${operation} has a content of its own`);
    return client.call(prefix, operation, await askedWith(everything, prefix, content), OVER_TLS.has(operation));
  }

  async function subscription(sent = false): Promise<string> {
    const made = await (sent
      ? everything.call("wsnt", "Subscribe", SUBSCRIBE)
      : everything.call("tev", "CreatePullPointSubscription"));
    const address = texts(made.element, "Address")[0];
    if (address === undefined) throw new Error(`no subscription: ${made.body}`);
    return new URL(address).pathname;
  }
});
