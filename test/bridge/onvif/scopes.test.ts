import { expect } from "chai";
import { element, qualified } from "../../support/onvif-calls.ts";
import { OnvifClient, type Reply, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";

const ONVIF = "onvif://www.onvif.org";
const FIXED = [`${ONVIF}/name/Viaduct`, `${ONVIF}/hardware/Viaduct`, `${ONVIF}/type/video_encoder`];
const NAME = `${ONVIF}/name/Harbour`;
const PLACE = `${ONVIF}/location/country/germany`;
const OWN = "http://example.com/site?id=7";

const why = ({ fault }: Reply): string => (fault === undefined ? "done" : [fault.code, ...fault.subcodes].join("/"));

describe("scopes through ONVIF", () => {
  let site: OnvifTestSite;
  let admin: OnvifClient;

  beforeEach(async () => {
    site = await startOnvifSite();
    admin = new OnvifClient(
      site,
      await site.account([{ right: "manage-accounts", cameras: "any", interfaces: "any" }]),
      "token",
    );
  });
  afterEach(() => site.close());

  const ask = (operation: "SetScopes" | "AddScopes" | "RemoveScopes", ...scopes: readonly string[]): Promise<Reply> => {
    const name = operation === "SetScopes" ? "Scopes" : "ScopeItem";
    return admin.call("tds", operation, qualified("tds", scopes.map((scope) => element(name, scope)).join("")));
  };
  /** Those that can be changed, and the others. */
  const scopes = async (): Promise<readonly [string[], string[]]> => {
    const { element: answer } = await admin.call("tds", "GetScopes");
    const kinds = texts(answer, "ScopeDef");
    const all = texts(answer, "ScopeItem");
    const of = (kind: string): string[] => all.filter((_, index) => kinds[index] === kind);
    return [of("Configurable"), of("Fixed")];
  };

  it("are added, set anew and removed, each once, and those that say what this is stay", async () => {
    expect(await scopes()).to.deep.equal([[], FIXED]);
    expect(why(await ask("AddScopes", NAME, PLACE, NAME))).to.equal("done");
    expect(why(await ask("AddScopes", PLACE, OWN, FIXED[0] as string))).to.equal("done");
    expect(await scopes()).to.deep.equal([[NAME, PLACE, OWN], FIXED]);
    const removed = await ask("RemoveScopes", PLACE, NAME);
    expect(texts(removed.element, "ScopeItem")).to.deep.equal([PLACE, NAME]);
    expect(await scopes()).to.deep.equal([[OWN], FIXED]);
    expect(why(await ask("SetScopes", PLACE, NAME))).to.equal("done");
    expect(await scopes()).to.deep.equal([[PLACE, NAME], FIXED]);
  });

  it("are told by discovery, those that were set first, and audited as they were and are", async () => {
    await ask("SetScopes", NAME);
    await ask("SetScopes", NAME);
    await ask("AddScopes", PLACE);
    expect(site.part.devices("127.0.0.1")[0]?.scopes).to.deep.equal([NAME, PLACE, ...FIXED]);
    const changes = site.audited.filter(({ action }) => action === "set-scopes");
    expect(changes.map(({ before, after }) => [before, after])).to.deep.equal([
      ["[]", JSON.stringify([NAME])],
      [JSON.stringify([NAME]), JSON.stringify([NAME, PLACE])],
    ]);
    expect(changes[0]).to.include({ interface: "onvif", outcome: "allowed", subject: "bridge", address: "127.0.0.1" });
  });

  it("are refused with the fault for it, and nothing of the request is done", async () => {
    await ask("SetScopes", NAME);
    const overwrite = "Sender/OperationProhibited/ScopeOverwrite";
    const rows: readonly (readonly [Parameters<typeof ask>[0], string, string])[] = [
      ["SetScopes", FIXED[1] as string, overwrite],
      ["SetScopes", `${ONVIF}/Profile/T`, overwrite],
      ["AddScopes", `${ONVIF}/Profile/T`, overwrite],
      ["AddScopes", "ONVIF://WWW.onvif.org/hardware/Other", overwrite],
      ["AddScopes", `${ONVIF}/name/`, overwrite],
      ["AddScopes", `${ONVIF}/name/../Profile/T`, "Sender/InvalidArgVal"],
      ["AddScopes", `${ONVIF}/name/%2E./Profile/T`, "Sender/InvalidArgVal"],
      ["AddScopes", `${ONVIF}/name%2f..%2FProfile/T`, "Sender/InvalidArgVal"],
      ["AddScopes", "no scheme", "Sender/InvalidArgVal"],
      ["AddScopes", "", "Sender/InvalidArgVal"],
      ["SetScopes", `urn:${"x".repeat(125)}`, "Sender/InvalidArgVal"],
      ["RemoveScopes", FIXED[0] as string, "Sender/OperationProhibited/FixedScope"],
      ["RemoveScopes", OWN, "Sender/InvalidArgVal/NoScope"],
    ];
    for (const [operation, scope, fault] of rows) {
      expect(why(await ask(operation, ...(operation === "RemoveScopes" ? [NAME] : [PLACE]), scope)), scope).to.equal(
        fault,
      );
      expect(await scopes(), scope).to.deep.equal([[NAME], FIXED]);
    }
  });

  it("are sixteen at most", async () => {
    const many = Array.from({ length: 16 }, (_, index) => `urn:example:${index}`);
    expect(why(await ask("SetScopes", ...many))).to.equal("done");
    for (const operation of ["AddScopes", "SetScopes"] as const)
      expect(why(await ask(operation, ...many, OWN))).to.equal("Receiver/Action/TooManyScopes");
    expect((await scopes())[0]).to.deep.equal(many);
  });

  it("are changed by nobody without the right to manage accounts", async () => {
    const other = new OnvifClient(
      site,
      await site.account([{ right: "live", cameras: "any", interfaces: "any" }]),
      "token",
    );
    const content = qualified("tds", element("ScopeItem", NAME));
    expect(why(await other.call("tds", "AddScopes", content))).to.equal("Sender/NotAuthorized");
    expect(await scopes()).to.deep.equal([[], FIXED]);
  });
});
