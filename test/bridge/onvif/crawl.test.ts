import { expect } from "chai";
import * as fc from "fast-check";
import type { RefusedRequest } from "../../../auth/refused.ts";
import { RIGHTS } from "../../../auth/right.ts";
import { SECOND } from "../../../base/units.ts";
import { consumerSide } from "../../../net/consumers.ts";
import { resolveName } from "../../../net/resolve.ts";
import { NAMESPACES } from "../../../wsdl/namespaces.ts";
import type { Complex } from "../../../wsdl/schema.ts";
import { serialize } from "../../../wsdl/serialize.ts";
import type { ServiceTable } from "../../../wsdl/service.ts";
import { officialFolder, officialValidator } from "../../support/official-schemas.ts";
import { LEVELS } from "../../support/onvif-calls.ts";
import { OnvifClient, PATHS, type Reply, type ServicePrefix, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { withRoles } from "../../support/onvif-users.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { operationsOf, TABLES, valuesOf } from "../../wsdl/table-values.ts";

/** How often each operation is asked in each way; more with VIADUCT_CRAWL. */
const ROUNDS = Number(process.env["VIADUCT_CRAWL"] ?? 1);
/** The same requests each time. */
const SEED = 20_261_126;

/** Tokens that are there (with a camera that the account of one camera may see, and one that it may not), and one that is not. */
const [SEEN, HIDDEN, MISSING] = ["gate", "yard", "nope"];
const TOKENS = [SEEN, HIDDEN, MISSING, `${SEEN}_0`, "VIDEO001", "odd_-1", "", "x".repeat(65)];

/** Values as the schema wants them, with tokens of things that are there, and without long waits. */
function plausible(value: unknown, token: () => string, name = ""): unknown {
  if (typeof value === "string") return /Token$|^Token|^token$|^By$/.test(name) ? token() : value;
  if (Array.isArray(value)) return value.map((one) => plausible(one, token, name));
  if (typeof value !== "object" || value === null || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plausible(of, token, key)]));
}

/** Ways to break a request, on its text. */
const BREAKS: readonly ((xml: string) => string)[] = [
  (xml) => xml,
  (xml) => xml.replace(/<(\w+:\w+)>[^<>]*<\/\1>/, ""),
  (xml) => xml.replace(/>[^<>]+<\//, ">\u0001not what is asked for</"),
  (xml) => xml.replace(/>([^<>]*)<\//, `>${"9".repeat(3000)}</`),
  (xml) => xml.replace(/<\/(\w+:\w+)>$/, '<x:other xmlns:x="urn:x"><x:deep/></x:other></$1>'),
  (xml) => xml.replace(/^(<[^>]*>)(<\w+:\w+)/, '$1$2 id="__proto__" xmlns:p="urn:p" p:constructor="1"'),
  (xml) => xml.replace(/(<(\w+:\w+)>[^<>]*<\/\2>)/, "$1$1"),
  (xml) => xml.replaceAll(/>([^<>]+)<\//g, ">-1</"),
];

describe("every operation of every service, to everybody", () => {
  let clock: VirtualClock;
  let site: OnvifTestSite;
  let clients: Readonly<Record<"none" | "no grants" | "one camera" | "administrator", OnvifClient>>;
  let failures: RefusedRequest[];
  const valid = officialValidator();

  before(async () => {
    clock = new VirtualClock();
    failures = [];
    site = await startOnvifSite({
      clock,
      consumers: {
        side: consumerSide({ listed: [], cameraInterfaces: [] }),
        resolve: resolveName,
        plainText: true,
        ca: undefined,
      },
      levels: LEVELS,
      cameraDevices: { discoverable: true, own: [], shown: new Map() },
      refused: (refused) => {
        if (refused.fault.kind === "internal") failures.push(refused);
      },
    });
    await withRoles(site.accounts, LEVELS.values());
    const of = async (grants: Parameters<OnvifTestSite["account"]>[0], camera?: string): Promise<OnvifClient> =>
      new OnvifClient(site, await site.account(grants), "token", camera);
    const all = RIGHTS.map((right) => ({ right, cameras: "any", interfaces: "any" }) as const);
    clients = {
      none: new OnvifClient(site),
      "no grants": await of([]),
      "one camera": await of(all.slice(0, 14).map((grant) => ({ ...grant, cameras: new Set([SEEN ?? ""]) }))),
      administrator: await of(all),
    };
  });
  after(() => site?.close());

  /** Time passes until it is answered. */
  async function ask(
    client: OnvifClient,
    { prefix }: ServiceTable,
    name: string,
    content: string,
    at: string | undefined,
  ): Promise<Reply> {
    const progress = { over: false };
    const answer = client.call(prefix as ServicePrefix, name, content, false, at).finally(() => {
      progress.over = true;
    });
    while (!progress.over) await clock.advance(SECOND);
    return answer;
  }

  /** Where the operations of a table are asked: those of subscriptions at one of the client's own. */
  async function placeOf(client: OnvifClient, table: ServiceTable, name: string): Promise<string | undefined> {
    const ofSubscription = /PullPointSubscription$|SubscriptionManager$/.test(table.actions);
    if (!ofSubscription) return undefined;
    const made = await client.call("tev", "CreatePullPointSubscription");
    const address = texts(made.element, "Address")[0];
    return address === undefined ? `/onvif/subscription/${name}` : new URL(address).pathname;
  }

  function check(reply: Reply, what: string): void {
    expect(failures, what).to.deep.equal([]);
    expect(valid(reply.body), `${what}\n${reply.body}`).to.deep.equal([]);
    const { fault } = reply;
    expect(reply.status, what).to.equal(
      fault === undefined
        ? 200
        : fault.subcodes[0] === "NotAuthorized"
          ? reply.status
          : fault.code === "Sender"
            ? 400
            : 500,
    );
    if (fault === undefined) return;
    expect(fault.code, what).to.be.oneOf(["Sender", "Receiver"]);
    expect(fault.subcodes, what).not.to.deep.equal([]);
    expect(fault.reason, what)
      .to.match(/\S/)
      .and.not.to.match(/undefined|TypeError|\.ts|Internal/);
  }

  /** The content of a request's element. */
  const contentOf = (table: ServiceTable, name: string, type: Complex<unknown>, value: unknown): string =>
    serialize(table.prefix, name, type, value as object).xml;

  it("is held against the official schemas", function () {
    officialFolder(this);
  });

  for (const table of TABLES)
    for (const [name, operation] of operationsOf(table))
      it(`answers ${table.prefix}:${name} in words of the specification`, async () => {
        const samples = fc.sample(valuesOf(operation.request), { numRuns: BREAKS.length * ROUNDS, seed: SEED });
        for (const [who, client] of Object.entries(clients))
          for (const [index, sample] of samples.entries()) {
            let turn = index;
            const value = plausible(sample, () => TOKENS[turn++ % TOKENS.length] ?? "");
            const whole = contentOf(table, name, operation.request, value);
            const broken = BREAKS[index % BREAKS.length]?.(whole) ?? whole;
            const inner = /^<[^>]*?(?:\/>|>([\s\S]*)<\/[^>]*>)$/.exec(broken)?.[1] ?? "";
            const place = await placeOf(client, table, name);
            check(await ask(client, table, name, inner, place), `${who}, ${index}: ${broken.slice(0, 500)}`);
          }
      });

  for (const table of TABLES)
    it(`says of the other operations of ${table.prefix} (${table.actions.split("/").at(-1)}) that they are not supported, to who might use them`, async () => {
      for (const [name, access] of table.others)
        for (const [who, client] of Object.entries(clients)) {
          const reply = await ask(client, table, name, "", await placeOf(client, table, name));
          check(reply, `${who} ${name}`);
          const open = access === "PRE_AUTH" || who === "administrator";
          const [subcode] = reply.fault?.subcodes ?? [];
          if (open) expect(subcode, `${who} ${name}`).to.equal("ActionNotSupported");
          else expect(subcode, `${who} ${name}`).to.be.oneOf(["ActionNotSupported", "NotAuthorized"]);
        }
    });

  for (const table of TABLES) {
    const named = operationsOf(table).filter(([, { request }]) =>
      request.members.some(({ name, type }) => type.kind === "simple" && name.endsWith("Token")),
    );
    for (const [name, operation] of named)
      it(`answers ${table.prefix}:${name} of a camera that is hidden as of one that is not there`, async () => {
        const [sample] = fc.sample(valuesOf(operation.request), { numRuns: 1, seed: SEED });
        const answers = [];
        for (const token of [HIDDEN, MISSING]) {
          const value = plausible(sample, () => token ?? "");
          const content =
            /^<[^>]*>([\s\S]*)<\/[^>]*>$/.exec(contentOf(table, name, operation.request, value))?.[1] ?? "";
          const { status, body } = await ask(
            clients["one camera"],
            table,
            name,
            content,
            await placeOf(clients["one camera"], table, name),
          );
          answers.push({
            status,
            body: body.replaceAll(token ?? "", "TOKEN").replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"),
          });
        }
        expect(answers[0]).to.deep.equal(answers[1]);
      });
  }

  it("walks over all of them: each service has a table here", () => {
    expect(new Set(TABLES.map(({ prefix }) => prefix))).to.include.keys(...Object.keys(PATHS));
    expect(NAMESPACES.wsnt).to.equal(TABLES.find(({ prefix }) => prefix === "wsnt")?.namespace);
  });
});
