import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { FULL_PROFILES, ONVIF_PROFILES, profileScopes } from "../../../bridge/client-side/onvif/profile-scopes.ts";
import { FUNCTIONS, IN_PART, WHY_NOT } from "../../../scripts/onvif-profile-reasons.ts";
import { PROFILE_TABLE } from "../../../scripts/onvif-profile-table.ts";
import { fullProfiles, standingOf } from "../../../scripts/onvif-profiles.ts";
import { OnvifClient, texts } from "../../support/onvif-client.ts";
import { type OnvifTestSite, startOnvifSite } from "../../support/onvif-site.ts";
import { operationsOf, TABLES } from "../../wsdl/table-values.ts";

const ROOT = join(import.meta.dirname, "../../..");
const SCOPES = { S: "Streaming", G: "G", T: "T" } as const;
const scopeOf = (one: keyof typeof SCOPES): string => `onvif://www.onvif.org/Profile/${SCOPES[one]}`;

describe("the table of ONVIF profiles", () => {
  const features = ONVIF_PROFILES.flatMap((one) => PROFILE_TABLE[one]);
  const rows = new Set(features.flatMap((feature) => feature.rows));
  const operations = [...rows].filter((row) => /^\w+:/.test(row) && !row.startsWith("tns1:"));

  it("announces what is full, and nothing else", () => {
    expect(FULL_PROFILES).to.deep.equal(fullProfiles());
  });

  it("knows no operation that ONVIF does not have", () => {
    const known = new Set(
      TABLES.flatMap((table) =>
        [...operationsOf(table).map(([name]) => name), ...table.others.keys()].map((name) => `${table.prefix}:${name}`),
      ),
    );
    expect(operations.filter((row) => !known.has(row))).to.deep.equal([]);
  });

  it("says why of all that is missing, and of nothing else", () => {
    const standing = features.flatMap((feature) => standingOf(feature));
    const missing = standing.filter(({ state }) => state === "missing");
    expect(missing.filter(({ why }) => why === "")).to.deep.equal([]);
    const named = new Set(missing.map(({ row }) => row));
    const excuses = Object.keys(WHY_NOT).filter((one) => one.includes(":") && !named.has(one));
    expect(excuses, "an excuse for what is there, or is in no profile").to.deep.equal([]);
    const parts = Object.keys(IN_PART).filter(
      (one) => !standing.some(({ row, state }) => row === one && state === "in part"),
    );
    expect(parts, "in part, and in no profile").to.deep.equal([]);
  });

  it("names a test that is there for what is no operation", () => {
    for (const [row, known] of Object.entries(FUNCTIONS)) {
      expect(rows.has(row), row).to.equal(true);
      if ("heldBy" in known) expect(existsSync(join(ROOT, known.heldBy)), known.heldBy).to.equal(true);
    }
  });

  it("is called a self-test", () => {
    expect(readFileSync(join(ROOT, "docs/reference/onvif-profiles.md"), "utf8"))
      .to.match(/self-test/)
      .and.to.match(/is not certified/);
  });
});

describe("the scopes of ONVIF profiles", () => {
  let site: OnvifTestSite;
  afterEach(() => site.close());

  const announced = async (...o: Parameters<typeof startOnvifSite>): Promise<readonly string[]> => {
    site = await startOnvifSite(...o);
    const client = new OnvifClient(site, await site.account(), "token");
    const { element } = await client.call("tds", "GetScopes");
    const scopes = texts(element, "ScopeItem");
    for (const { scopes: told } of site.part.devices("127.0.0.1")) expect(told).to.have.members([...scopes]);
    return scopes.filter((scope) => scope.includes("/Profile/"));
  };

  it("are those of full profiles where nothing else was said", async () => {
    expect(await announced()).to.deep.equal(fullProfiles().map(scopeOf));
  });

  it("are those besides that somebody has switched on, by GetScopes and to discovery", async () => {
    expect(await announced({ profileScopes: ["T", "S"] })).to.have.members(
      [...new Set(["T", "S", ...fullProfiles()] as const)].map((one) => scopeOf(one)),
    );
  });

  it("are each announced once", async () => {
    expect(await announced({ profileScopes: ["G", "G"] })).to.have.members(
      [...new Set(["G", ...fullProfiles()] as const)].map((one) => scopeOf(one)),
    );
    expect(profileScopes(["G", "G"])).to.deep.equal([...new Set(profileScopes(["G", "G"]))]);
  });
});
