import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { lockFolder } from "../../base/lock.ts";
import { silentLog } from "../../base/log.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera } from "../../sim/camera-options.ts";
import { CAMERA_LOGIN } from "../support/bridge.ts";
import { type Ended, PROGRAM, viaduct, writeConfig } from "../support/viaduct.ts";

describe("viaduct camera", () => {
  let folder = "";
  let config = "";
  let sim: SimCamera;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "viaduct-camera-"));
    config = await writeConfig(folder);
    sim = await startSimCamera({
      name: "Gate",
      address: "127.0.0.1",
      httpPort: 0,
      rtspPort: 0,
      user: CAMERA_LOGIN.user,
      password: CAMERA_LOGIN.password.reveal(),
      clock: systemClock,
      log: silentLog(),
    });
  });
  after(async () => {
    await sim?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const env = { VIADUCT_CAMERA_PASSWORD: CAMERA_LOGIN.password.reveal() };
  const camera = (...args: readonly string[]): Promise<Ended> =>
    viaduct(["camera", ...args, "--config", config], { env });

  it("lists none in a data folder that is new", async () => {
    expect(await camera("list")).to.deep.equal({ code: 0, out: "There are no cameras.\n", err: "" });
  });

  it("adopts none in plain text that nobody has allowed, and says what to do", async () => {
    const { code, err } = await camera("add", sim.rtspUrl, "--user", CAMERA_LOGIN.user);
    expect(code).to.equal(1);
    expect(err).to.match(/use rtsps:, or allow plain text for this camera/);
    expect(sim.connections).to.equal(0);
  });

  it("adopts one, keeps its password nowhere in clear text, and tells the audit log", async () => {
    const how = ["--user", CAMERA_LOGIN.user, "--name", "Gate", "--plain-text"];
    expect((await camera("add", sim.rtspUrl, ...how)).out).to.match(/^gate is adopted/);
    expect((await camera("add", sim.rtspUrl, ...how)).err).to.include("already adopted as gate");
    expect((await camera("list")).out).to.equal(
      "gate  127.0.0.1  auto  plain text allowed  recorded: main continuous  Gate\n",
    );
    expect(await readFile(join(folder, "data/viaduct.db"), "latin1")).not.to.include(env.VIADUCT_CAMERA_PASSWORD);
    const last = (await readFile(join(folder, "data/audit.log"), "utf8")).trim().split("\n").at(-1) ?? "";
    const entry = { action: "adopt-camera", camera: "gate", interface: "cli", why: "adopted, plain text allowed" };
    expect(JSON.parse(last)).to.include(entry);
  });

  it("chooses how it is asked to send", async () => {
    expect((await camera("transport", "gate", "udp")).code).to.equal(0);
    const [listed] = JSON.parse((await camera("list", "--json")).out) as object[];
    expect(listed).to.deep.equal({
      id: "gate",
      name: "Gate",
      ip: "127.0.0.1",
      transport: "udp",
      plainText: true,
      streams: ["main"],
      recording: { main: { mode: "continuous" } },
    });
  });

  it("chooses when it is recorded, which the audit log has with what was before", async () => {
    const how = ["--record", "events", "--event", "doorbell", "tns1:RuleEngine", "--before", "2"];
    expect((await camera("change", "gate", ...how)).out).to.equal("gate is changed.\n");
    const plan = {
      mode: "events",
      events: { of: ["doorbell", "tns1:RuleEngine"], beforeSeconds: 2, afterSeconds: 10 },
    };
    const [listed] = JSON.parse((await camera("list", "--json")).out) as { recording: unknown }[];
    expect(listed?.recording).to.deep.equal({ main: plan });
    const last = (await readFile(join(folder, "data/audit.log"), "utf8")).trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(last)).to.include({ action: "set-recording", before: '{"mode":"continuous"}', interface: "cli" });
    const hours = join(folder, "hours.json");
    await writeFile(hours, '{"zone":"UTC","weekly":[{"days":[1],"from":"08:00","to":"18:00"}]}');
    const scheduled = await camera("change", "gate", "--record", "schedule", "--hours", hours, "--pull", "on-demand");
    expect(scheduled.code, scheduled.err).to.equal(0);
    expect((await camera("list")).out).to.include("recorded: main schedule");
    const log = (await readFile(join(folder, "data/audit.log"), "utf8")).trim().split("\n");
    const pulled = JSON.parse(log.find((line) => line.includes("set-pulling")) ?? "{}") as unknown;
    expect(pulled).to.include({ camera: "gate", subject: "gate", before: "always", after: "on-demand" });
  });

  it("chooses what of it is kept", async () => {
    expect((await camera("change", "gate", "--min-days", "3", "--max-days", "30")).code).to.equal(0);
    expect((await camera("change", "gate", "--max-gigabytes", "500")).code).to.equal(0);
    const last = (await readFile(join(folder, "data/audit.log"), "utf8")).trim().split("\n").at(-1) ?? "";
    const after = '{"minDays":3,"maxDays":30,"maxGigabytes":500}';
    expect(JSON.parse(last)).to.include({ action: "set-retention", before: '{"minDays":3,"maxDays":30}', after });
    const { code, err } = await camera("change", "gate", "--max-days", "2");
    expect([code, err]).to.deep.equal([2, "viaduct: minDays: the minimum is not beyond the maximum\n"]);
  });

  it("says in words what it cannot do", async () => {
    const refusals: readonly (readonly [args: readonly string[], code: number, words: string])[] = [
      [["transport", "gate", "pigeon"], 2, "the transport must be auto, tcp, udp, http, multicast"],
      [["transport", "door", "tcp"], 1, "there is no camera door"],
      [["remove", "door"], 1, "there is no camera door"],
      [["change", "door", "--record", "off"], 1, "there is no camera door"],
      [["change", "gate", "--record", "off", "--stream", "sub"], 1, "there is no stream sub of gate"],
      [["change", "gate"], 2, "say what to change"],
      [["change", "gate", "--volume", "fast"], 2, "there is no volume fast in the settings: there are main, and any"],
      [["change", "gate", "--record", "schedule"], 2, "a schedule has hours"],
      [["change", "gate", "--record", "events", "--after", "soon"], 2, "recording.events.afterSeconds"],
      [["change", "gate", "--record", "schedule", "--hours", "nowhere.json"], 2, "nowhere.json cannot be read"],
      [["add", "10.0.0.9", "--transport", "udp"], 1, "over UDP and multicast pictures are in plain text"],
      [["add", "rtsp://service:pass/word@10.0.0.9/a"], 2, "use --user, and VIADUCT_CAMERA_PASSWORD for the password"],
    ];
    for (const [args, code, words] of refusals) {
      const ended = await camera(...args);
      expect([ended.code, ended.err.includes(words)], `${args.join(" ")}: ${ended.err}`).to.deep.equal([code, true]);
    }
    const lock = lockFolder(join(folder, "data"));
    try {
      expect((await camera("list")).code, "beside a running bridge").to.equal(1);
    } finally {
      await lock.close();
    }
  });

  it("adopts none where it cannot be told of which cameras there are recordings", async () => {
    await writeFile(join(folder, "data/recordings"), "not a folder");
    const { code, err } = await camera("add", sim.rtspUrl.replace(/\/[^/]*$/, "/another"), "--plain-text");
    expect({ code, told: err.includes("cannot tell of which cameras there are recordings") }, err).to.deep.equal({
      code: 1,
      told: true,
    });
    await rm(join(folder, "data/recordings"));
  });

  it("removes it, and gives its name to no other one", async () => {
    expect((await camera("remove", "gate")).out).to.match(/^gate is removed/);
    expect((await camera("add", sim.rtspUrl, "--name", "Gate", "--plain-text")).out).to.match(/^gate-2 is adopted/);
  });

  it("asks for the passphrase of the master key, in each of its commands", async () => {
    // It is stretched at every start, on purpose slowly.
    const command = ["bash", "-c", '"$0" "$@" 3<<< "$PASSPHRASE"', process.execPath, PROGRAM] as const;
    const run = (...args: readonly string[]): Promise<Ended> =>
      viaduct([...args, "--config", config], { command, env: { ...env, PASSPHRASE: "correct horse battery" } });
    expect((await run("keys", "rotate", "--to-passphrase", "--new-passphrase-fd", "3")).code).to.equal(0);
    expect((await camera("list")).err).to.include("nobody can be asked");
    const commands: readonly (readonly [args: readonly string[], out: RegExp])[] = [
      [["remove", "gate-2"], /^gate-2 is removed/],
      [["add", sim.rtspUrl, "--name", "Gate", "--plain-text"], /^gate-3 is adopted/],
      [["transport", "gate-3", "tcp"], /^gate-3 will be asked/],
      [["list"], /^gate-3 /],
    ];
    for (const [args, out] of commands) {
      const ended = await run("camera", ...args, "--passphrase-fd", "3");
      expect(ended.out, ended.err).to.match(out);
    }
  });
});
