import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { expect } from "chai";
import { QUIRKS } from "../../sim/quirks.ts";
import { missing } from "../support/peer.ts";
import { PROGRAM, startViaduct, viaduct } from "../support/viaduct.ts";

const LAUNCHER = join(dirname(PROGRAM), "viaduct");

function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

describe("viaduct sim", () => {
  it("lists every quirk with what it does", async () => {
    const { code, out } = await viaduct(["sim", "quirks"]);
    expect(code).to.equal(0);
    const listed = Object.fromEntries(
      out
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    );
    expect(listed).to.deep.equal(Object.fromEntries(Object.entries(QUIRKS).map(([name, { does }]) => [name, does])));
  });

  it("runs a camera until it is stopped, and makes a password where none is given", async () => {
    const camera = startViaduct(["sim", "camera", "--quirk", "clock-off", "no-sprop"]);
    await camera.until(/\npassword \w{12}\n/);
    const [, onvif = "", rtsp = ""] =
      /^ONVIF {2}(http\S+)\nRTSP {3}(rtsp\S+)\nuser {3}admin\n/.exec(camera.out()) ?? [];
    expect([await listens(onvif), await listens(rtsp)]).to.deep.equal([true, true]);
    expect(await camera.stop()).to.include({ code: 0, err: "" });
    expect([await listens(onvif), await listens(rtsp)]).to.deep.equal([false, false]);
  });

  it("takes the password from the environment, and does not print it", async () => {
    const camera = startViaduct(["sim", "camera", "--user", "service"], {
      env: { VIADUCT_SIM_PASSWORD: "c4mera-pass" },
    });
    await camera.until("user   service\n");
    const { code, out, err } = await camera.stop("SIGINT");
    expect(code).to.equal(0);
    expect(out + err).not.to.match(/password|c4mera/);
  });
});

describe("bin/viaduct", () => {
  /** The machine's own Node, where that is older than the one that Viaduct is made for. */
  function olderNode(): string | undefined {
    const programs = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"));
    return programs
      .filter((program) => existsSync(program))
      .find((program) => {
        const version = execFileSync(program, ["-p", "process.versions.node"], { encoding: "utf8" });
        return Number(version.split(".")[0]) < 24;
      });
  }

  it("starts the Node that was installed with it where the machine's is older", async function () {
    const node = olderNode();
    if (node === undefined) return missing(this, "a Node.js older than 24");
    const command = [node, LAUNCHER] as const;
    expect((await viaduct(["--version"], { command })).code).to.equal(0);
    const wrong = await viaduct(["nonsense"], { command });
    expect({ code: wrong.code, out: wrong.out }).to.deep.equal({ code: 2, out: "" });
    const camera = startViaduct(["sim", "camera"], { command });
    await camera.until("password ");
    expect((await camera.stop()).code).to.equal(0);
  });

  it("goes on in the same process where the Node is new enough", async () => {
    const command = [process.execPath, LAUNCHER] as const;
    const { code, out } = await viaduct(["config", "example"], { command });
    expect({ code, out }).to.deep.equal({ code: 0, out: (await viaduct(["config", "example"])).out });
  });
});
