import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Database, openDatabase } from "../../base/database.ts";
import { isFault } from "../../base/fault.ts";
import { type MadeProfile, MadeProfiles, type OwnProfiles } from "../../bridge/made-profiles.ts";
import { type SiteSchema, siteMigrations } from "../../bridge/site-schema.ts";

const MINE = { accountId: "mine", device: "" };
const NIGHT = { token: "night", name: "Night", parts: { VideoSource: "gate", VideoEncoder: "gate_sub" } };

const put = (profiles: OwnProfiles, profile: MadeProfile): Promise<void> => profiles.put(profile.token, () => profile);

describe("media profiles that clients have made", () => {
  let folder: string;
  let database: Database<SiteSchema>;
  const open = async (...accounts: readonly string[]): Promise<MadeProfiles> =>
    MadeProfiles.open({ query: database.query, accounts: new Set(accounts) });
  const restarted = async (): Promise<void> => {
    await database?.close();
    database = await openDatabase<SiteSchema>(join(folder, "site.db"), siteMigrations);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-profiles-"));
    await restarted();
  });
  afterEach(async () => {
    await database.close();
    await rm(folder, { recursive: true });
  });

  it("are there after a restart as they were, each for its owner at its device alone", async () => {
    const made = await open();
    await put(made.of(MINE), { ...NIGHT, name: "Before" });
    await put(made.of(MINE), NIGHT);
    await put(made.of({ ...MINE, device: "gate" }), { ...NIGHT, name: "At the gate" });
    await put(made.of(MINE), { token: "gone", name: "Gone", parts: {} });
    await made.of(MINE).remove("gone");
    await restarted();
    const after = await open("mine", "yours");
    expect(after.of(MINE).list()).to.deep.equal([NIGHT]);
    expect(after.of({ ...MINE, device: "gate" }).find("night")?.name).to.equal("At the gate");
    expect(after.of({ ...MINE, accountId: "yours" }).find("night")).to.equal(undefined);
  });

  it("of an account that is gone are forgotten at the next start", async () => {
    const made = await open();
    await put(made.of(MINE), NIGHT);
    await restarted();
    await open("yours");
    expect((await open("mine")).of(MINE).list()).to.deep.equal([]);
  });

  const putMany = async (profiles: OwnProfiles, count: number): Promise<void> => {
    for (let one = 0; one < count; one += 1) await put(profiles, { token: `p${one}`, name: "One", parts: {} });
  };
  const refusal = (put: Promise<void>): Promise<unknown> => put.catch((error: unknown) => isFault(error, "busy"));

  it("are 64 of one account at one device, and 4096 together", async () => {
    const made = await open();
    await putMany(made.of(MINE), 64);
    expect(await refusal(put(made.of(MINE), NIGHT))).to.equal(true);
    // One that is there may be changed all the same.
    await put(made.of(MINE), { token: "p1", name: "Changed", parts: {} });
    for (let device = 1; device < 64; device += 1) await putMany(made.of({ ...MINE, device: `d${device}` }), 64);
    const yours = made.of({ ...MINE, accountId: "yours" });
    expect(await refusal(put(yours, NIGHT))).to.equal(true);
    await made.of(MINE).remove("p0");
    await put(yours, NIGHT);
  });

  it("are changed one after another, each as the one before has left it", async () => {
    const profiles = (await open()).of(MINE);
    await put(profiles, NIGHT);
    const longer = (): Promise<void> =>
      profiles.put("night", () => ({ ...NIGHT, name: `${profiles.find("night")?.name}!` }));
    await Promise.all([longer(), longer(), longer()]);
    expect(profiles.find("night")?.name).to.equal("Night!!!");
  });

  it("are counted before they are on disk", async () => {
    const profiles = (await open()).of(MINE);
    await putMany(profiles, 63);
    const two = await Promise.all(["a", "b"].map((token) => refusal(put(profiles, { ...NIGHT, token }))));
    expect(two).to.deep.equal([undefined, true]);
  });

  it("are as they were where they cannot be written", async () => {
    const profiles = (await open()).of(MINE);
    await put(profiles, NIGHT);
    await database.query.schema.dropTable("onvif_profile").execute();
    for (const change of [put(profiles, { ...NIGHT, name: "Day" }), profiles.remove("night")])
      expect(await change.catch(() => "failed")).to.equal("failed");
    expect(profiles.list()).to.deep.equal([NIGHT]);
  });
});
