import { expect } from "chai";
import { ADMINISTRATOR } from "../../auth/policy.ts";
import type { Grant } from "../../auth/principal.ts";
import { CAMERA_RIGHTS, INTERFACES, isCameraRight, RIGHTS, type Right } from "../../auth/right.ts";
import { Secret } from "../../base/secret.ts";
import { unixMillis } from "../../base/units.ts";
import { DOORS, type Guarded, type Needs, needsOf, rightsOf } from "../../scripts/doors.ts";
import { attributeOf } from "../../wsdl/xml.ts";
import { eventually, startTestBridge, type TestBridge } from "../support/bridge.ts";
import { type Door, doorsOf, type Knock, type Knocker, type Stage } from "../support/doors.ts";
import { OnvifClient, texts } from "../support/onvif-client.ts";
import { onvifEndpoint } from "../support/onvif-endpoint.ts";
import { WebClient } from "../support/web-client.ts";
import { PASSWORD } from "../support/web-site.ts";

/** Cameras: the one that is tried, one beside it, and one that is not there. */
const [TRIED, BESIDE, MISSING] = ["gate", "yard", "none"] as const;
const TOLD_BY_AGE: ReadonlySet<Right> = new Set(["playback", "search", "export"]);

const grant = (right: Right, more: Partial<Grant> = {}): Grant => ({
  right,
  cameras: new Set([TRIED]),
  interfaces: "any",
  ...more,
});
const every = (but: readonly Right[] = [], camera: string = TRIED): readonly Grant[] =>
  RIGHTS.filter((right) => !but.includes(right)).map((right) => grant(right, { cameras: new Set([camera]) }));

/** How a door must answer: as to a stranger, not at all, as of a camera that is not there, with nothing of old footage, or as it does to who may. */
type Expected = "stranger" | "closed" | "missing" | "closed or nothing old" | "open";

interface Case {
  readonly title: string;
  /** Absent: nobody is logged in. */
  readonly grants?: readonly Grant[];
  readonly expected: Expected;
}

/** All cases of one need at one interface. */
function casesOf(needs: Needs, door: Guarded): readonly Case[] {
  const stranger: Case = { title: "no account", expected: needs === "nobody" ? "open" : "stranger" };
  if (needs === "nobody" || needs === "account")
    return [stranger, { title: "an account without a grant", grants: [], expected: "open" }];
  const { oneOf: rights, beside } = rightsOf(needs);
  const [others, never] = [new Set(INTERFACES.filter((one) => one !== door)), { hours: "never" }];
  const ended = { until: unixMillis(Date.now() - 1000) };
  const overCamera = rights.every(isCameraRight);
  // Any right over the camera is one to see it.
  const rest = needs === "see" ? [] : every(rights);
  const closed = needs === "see" ? "missing" : "closed";
  const besides = (more: Partial<Grant>): readonly Grant[] => [...rest, ...rights.map((right) => grant(right, more))];
  return [
    stranger,
    { title: "every right but this", grants: rest, expected: closed },
    { title: "on other interfaces", grants: besides({ interfaces: others }), expected: closed },
    // A camera that came and went with the hours would look removed.
    { title: "at other hours", grants: besides(never), expected: needs === "see" ? "open" : "closed" },
    { title: "in the past", grants: besides(ended), expected: closed },
    { title: "denied", grants: [...every(), ...rights.map((right) => grant(right, { deny: true }))], expected: closed },
    ...(overCamera
      ? ([
          { title: "on another camera", grants: every([], BESIDE), expected: "missing" },
          { title: "the camera is hidden", grants: [...every(), grant("see", { deny: true })], expected: "missing" },
        ] as const)
      : []),
    ...(rights.some((right) => TOLD_BY_AGE.has(right))
      ? [{ title: "of newer footage", grants: besides({ maxAgeMs: 1 }), expected: "closed or nothing old" } as const]
      : []),
    ...rights.map(
      (right): Case => ({
        title: `nothing but ${[right, ...beside].join(" and ")}, here`,
        grants: [right, ...beside].map((one) => grant(one, { interfaces: new Set([door]) })),
        expected: "open",
      }),
    ),
  ];
}

/** How it did answer, in the words of what was expected where it is that. */
function judge(door: Door, knock: Knock, missing: Knock, expected: Expected, overCamera: boolean): string {
  const { outcome, text, mentions, tells } = knock;
  const asMissing = door.names ? outcome === missing.outcome && text === missing.text : !mentions;
  const isClosed = outcome === "refused" || asMissing || (door.interface === "onvif" && !mentions);
  if (outcome === "stranger" || expected === "stranger") return outcome;
  if (expected === "missing") return asMissing ? "missing" : `${outcome}: ${text}`;
  if (expected === "closed") return isClosed ? "closed" : `open: ${text}`;
  if (expected === "closed or nothing old") return isClosed || !tells ? expected : `tells of old footage: ${text}`;
  return outcome === "answered" && !(door.names && asMissing) && (door.names || !overCamera || mentions)
    ? "open"
    : `closed: ${text}`;
}

describe("the matrix of rights: every door of a running bridge, with each right and without it", () => {
  let t: TestBridge;
  let stage: Stage;
  let doors: readonly Door[];
  let guest: Knocker;
  let ids: readonly string[];
  let stranger: Knocker;

  const give = async (grants: readonly Grant[]): Promise<void> => {
    for (const id of ids) await t.bridge.parts.accounts.change(id, { grants });
  };

  before(async () => {
    t = await startTestBridge();
    const { accounts, archive, addresses } = t.bridge.parts;
    await accounts.setPart("hours", "never", { name: "Never", zone: "UTC", weekly: [], exceptions: [] });
    const adopt = async (name: string): Promise<string> =>
      t.adopt(await t.camera({ name, audio: true, speaker: true, controls: true, width: 320, height: 180 }));
    const spans = () => archive.spans(TRIED, unixMillis(0), unixMillis(Date.now()));
    const recorded = (ms: number) => eventually(async () => (await spans()).some(({ from, to }) => to - from > ms));
    await adopt("Gate");
    // So that the one's footage is told from the other's by its time.
    await recorded(1500);
    await adopt("Yard");
    const password = new Secret(PASSWORD);
    await accounts.createPerson({ name: "administrator", password, grants: [], roles: [ADMINISTRATOR] });
    const person = await accounts.createPerson({ name: "guest", password, grants: every() });
    const { account, secret } = await accounts.createIntegration({ name: "guest-system", grants: every() });
    ids = [person.id, account.id];
    const login = { name: account.name, secret: secret.reveal() };
    const all = await accounts.createIntegration({ name: "everything", grants: every() });
    const everything = { name: all.account.name, secret: all.secret.reveal() };
    const made = await t.bridge.parts.tokens.make(person.id, { name: "a test" });
    const browser = new WebClient(addresses().doors.https);
    guest = { web: browser, login, token: made.secret.reveal() };
    stranger = { web: new WebClient(addresses().doors.https), login: undefined, token: undefined };
    await browser.logIn("guest", PASSWORD);
    await recorded(4000);
    const [footage] = await spans();
    if (footage === undefined) throw new Error("nothing was recorded");
    const range = { from: new Date(footage.from).toISOString(), to: new Date(footage.from + 1000).toISOString() };
    const asked = await guest.web.send("POST", "/api/exports", {
      body: { cameras: [TRIED], ...range, without: ["audio", "metadata"] },
    });
    const exported = (asked.json as { readonly id: string }).id;
    const client = new OnvifClient(onvifEndpoint(t), login, "token");
    const profile = `<tptz:ProfileToken>${TRIED}</tptz:ProfileToken>`;
    const preset = texts((await client.call("tptz", "SetPreset", profile)).element, "PresetToken")[0] ?? "";
    const [round] = (await client.call("tptz", "GetPresetTours", profile)).element.children;
    const tour = (round && attributeOf(round, "token")) ?? "";
    const relays = await client.call("tds", "GetRelayOutputs");
    const relay = /token="gate_([^"]+)"/.exec(relays.body)?.[1] ?? "";
    stage = { bridge: t, camera: TRIED, footage, everything, exported, preset, spare: {}, tour, relay };
    doors = doorsOf(stage);
    const ready = async (): Promise<boolean> => {
      const { json } = await guest.web.send("GET", "/api/exports");
      return (json as { readonly exports: readonly { readonly state: string }[] }).exports[0]?.state === "ready";
    };
    await eventually(ready);
  });
  after(() => t?.close());

  it("has every door of the bridge, and no other", () => {
    for (const door of Object.keys(DOORS) as Guarded[]) {
      const listed = Object.values(DOORS[door]).flat();
      expect(new Set(listed), `${door}: a door with two needs`).to.have.property("size", listed.length);
      expect([...new Set(doors.filter((one) => one.interface === door).map(({ name }) => name))], door).to.have.members(
        listed,
      );
    }
  });

  for (const door of Object.keys(DOORS) as Guarded[])
    for (const needs of Object.keys(DOORS[door]) as Needs[])
      it(`${door}: what needs ${needs}`, async () => {
        const tried = doors.filter((one) => one.interface === door && needsOf(door, one.name) === needs);
        const overCamera = rightsOf(needs).oneOf.some(isCameraRight);
        for (const { title, grants, expected } of casesOf(needs, door)) {
          if (grants !== undefined) await give(grants);
          const who = grants === undefined ? stranger : guest;
          for (const one of tried) {
            const knock = await one.knock(who, TRIED);
            const missing = one.names ? await one.knock(who, MISSING) : knock;
            expect(judge(one, knock, missing, expected, overCamera), `${one.name}, ${title}`).to.equal(expected);
          }
        }
      });

  it("tries every right over cameras at some door", () => {
    const tried = new Set(
      (Object.keys(DOORS) as Guarded[]).flatMap((door) =>
        (Object.keys(DOORS[door]) as Needs[]).flatMap((needs) => rightsOf(needs).oneOf),
      ),
    );
    expect(Object.keys(CAMERA_RIGHTS).filter((right) => !tried.has(right as Right))).to.deep.equal([]);
  });
});
