import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { queryObjects } from "node:v8";
import { expect } from "chai";
import * as fc from "fast-check";
import { ByteReader } from "../../base/bytes.ts";
import { within } from "../../base/clock.ts";
import { Fault, isFault } from "../../base/fault.ts";
import { Lifecycle } from "../../base/lifecycle.ts";
import { lockFolder } from "../../base/lock.ts";
import { createLog, Repeats, silentLog, withoutLogIns } from "../../base/log.ts";
import { BoundedQueue } from "../../base/queue.ts";
import { remembered } from "../../base/remember.ts";
import { Sealer } from "../../base/seal.ts";
import { equalDigests, equalInConstantTime, makeSecret, Secret } from "../../base/secret.ts";
import { ntpOf, unixMillis, unixOfNtp } from "../../base/units.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("a secret", () => {
  const secret = new Secret("hunter2");

  it("does not print, whichever way it is printed", () => {
    for (const text of [String(secret), JSON.stringify({ secret }), inspect(secret), inspect({ a: [secret] })])
      expect(text).not.to.include("hunter2");
  });

  it("compares by value", () => {
    expect(secret.equals("hunter2")).to.equal(true);
    expect(secret.equals("hunter")).to.equal(false);
    expect(equalInConstantTime(Buffer.from("a"), "a")).to.equal(true);
  });

  it("is compared by its digest, which is equal or not, of whatever length", () => {
    for (const [a, b, equal] of [
      ["abc=", "abc=", true],
      ["abc=", "abd=", false],
      ["abc=", "abc", false],
      ["", "abc=", false],
      ["é", "e", false],
    ] as const)
      expect(equalDigests(a, b), `${a} ${b}`).to.equal(equal);
  });

  it("is made in the length asked for, of letters that need no escaping", () => {
    for (const length of [1, 20, 64])
      expect(makeSecret(length).reveal()).to.match(new RegExp(`^[A-HJ-NP-Za-km-z2-9]{${length}}$`));
    expect(makeSecret(20).reveal()).not.to.equal(makeSecret(20).reveal());
  });
});

describe("what is remembered of a value", () => {
  it("was made once, though it be nothing, and belongs to that value alone", () => {
    const made: object[] = [];
    const of = remembered((value: { readonly text?: string }) => {
      made.push(value);
      return value.text;
    });
    const [one, same, none] = [{ text: "a" }, { text: "a" }, {}];
    expect([one, one, same, none, none].map(of)).to.deep.equal(["a", "a", "a", undefined, undefined]);
    expect(made).to.deep.equal([one, same, none]);
  });
});

describe("a sealed secret", () => {
  const sealer = new Sealer(Buffer.alloc(32, 1));
  const sealed = sealer.seal(new Secret("päss"), "camera:a");

  it("opens for its owner", () => {
    expect(sealer.open(sealed, "camera:a").reveal()).to.equal("päss");
    expect(sealed).not.to.include("päss");
  });

  const wrong: readonly (readonly [why: string, open: () => Secret])[] = [
    ["another owner", () => sealer.open(sealed, "camera:b")],
    ["another key", () => new Sealer(Buffer.alloc(32, 2)).open(sealed, "camera:a")],
    ["a changed value", () => sealer.open(`${sealed.slice(0, -2)}AA`, "camera:a")],
    ["a value that was never sealed", () => sealer.open("v1.abc", "camera:a")],
  ];
  for (const [why, open] of wrong)
    it(`does not open for ${why}`, () => {
      expect(open).to.throw(Fault).with.property("kind", "unavailable");
    });
});

describe("the log", () => {
  const lines: string[] = [];
  const log = createLog("info", { write: (line: string) => lines.push(line) });

  it("hides secrets in fields, in addresses and in errors", () => {
    log.info({ password: "hunter2", camera: { password: "hunter2" }, url: "rtsp://u:hunter2@h/1" }, "a");
    log.error(
      { err: new Fault("invalid", "no answer from rtsp://u:hunter2@h/1", { cause: new Error("http://u:hunter2@h") }) },
      "b",
    );
    expect(lines).to.have.length(2);
    expect(lines.join("")).not.to.include("hunter2");
  });

  it("takes credentials out of any text", () => {
    expect(withoutLogIns("at rtsp://admin:a:b@10.0.0.1:554/x and http://me@h/")).to.equal(
      "at rtsp://10.0.0.1:554/x and http://h/",
    );
    expect(withoutLogIns("rtsp://admin:p@ss@10.0.0.1/x@y")).to.equal("rtsp://10.0.0.1/x@y");
  });

  for (const [written, shown] of [
    ["rtsp://h/s?user=admin&password=hunter2&channel=1", "rtsp://h/s?user=[secret]&password=[secret]&channel=1"],
    ["rtsp://h/s?channel=1&USR=admin&Pwd=hunter2", "rtsp://h/s?channel=1&USR=[secret]&Pwd=[secret]"],
    ["rtsp://h/11?u=admin&p=hun/t@er?2;x=#1'", "rtsp://h/11?u=[secret]&p=[secret]"],
    ["rtsp://h?pwd=hunter@2", "rtsp://h?pwd=[secret]"],
    ["rtsp://h/s?loginuse=admin&loginpas=hunter2", "rtsp://h/s?loginuse=[secret]&loginpas=[secret]"],
    ["rtsp://h/s?user_name=admin&user_password=hunt/er2", "rtsp://h/s?user_name=[secret]&user_password=[secret]"],
    ["rtsp://h/cam?channel=1&subtype=0&authbasic=aHVudGVyMg==", "rtsp://h/cam?channel=1&subtype=0&authbasic=[secret]"],
    [
      "rtsp://h:554/user=admin_password=hunter2_channel=1_stream=0.sdp?real_stream",
      "rtsp://h:554/user=[secret]_channel=1_stream=0.sdp?real_stream",
    ],
    [
      "rtsp://h/user=admin&password=hunter2&channel=1&stream=0.sdp?",
      "rtsp://h/user=[secret]&password=[secret]&channel=1&stream=0.sdp?",
    ],
    ["rtsp://h/password=hunt_er=2/s", "rtsp://h/password=[secret]/s"],
    ["rtsp://u:hunter2@h/s?password=hunter2 is gate", "rtsp://h/s?password=[secret] is gate"],
    ['{"url":"http://h/?access_token=hunter2","at":1}', '{"url":"http://h/?access_token=[secret]","at":1}'],
    [
      "rtsps://h/live/gate?at=-30s&for=10s&speed=2&profile=main",
      "rtsps://h/live/gate?at=-30s&for=10s&speed=2&profile=main",
    ],
  ] as const)
    it(`shows ${written} as an address without a log-in`, () => {
      expect(withoutLogIns(written)).to.equal(shown);
    });

  it("says a thing that repeats once in a while, and how often it was", async () => {
    const clock = new VirtualClock();
    const repeats = new Repeats(clock, 1000);
    expect([repeats.admit("a"), repeats.admit("a"), repeats.admit("b"), repeats.admit("a")]).to.deep.equal([
      0,
      undefined,
      0,
      undefined,
    ]);
    await clock.advance(1000);
    expect(repeats.admit("a")).to.equal(2);
  });
});

describe("time", () => {
  it("goes to NTP and back within a microsecond", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 4e12, noNaN: true }), (at) => {
        expect(unixOfNtp(ntpOf(unixMillis(at)))).to.be.closeTo(at, 0.001);
      }),
    );
  });

  it("runs out for work that takes too long", async () => {
    const clock = new VirtualClock();
    const late = within(clock, 100, new Promise<never>(() => undefined), () => new Fault("unavailable", "late"));
    const seen = late.catch((error: unknown) => error);
    await clock.advance(100);
    expect(isFault(await seen, "unavailable")).to.equal(true);
    expect(await within(clock, 100, Promise.resolve(1), () => new Fault("unavailable", "late"))).to.equal(1);
    expect(clock.pending).to.equal(0);
  });
});

describe("a byte reader", () => {
  it("never reads past the end, whatever is asked", () => {
    const reads: readonly ((reader: ByteReader) => unknown)[] = [
      (reader) => reader.u8(),
      (reader) => reader.u16(),
      (reader) => reader.u24(),
      (reader) => reader.u32(),
      (reader) => reader.i32(),
      (reader) => reader.u64(),
      (reader) => reader.view(5),
      (reader) => reader.skip(3),
    ];
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 12 }),
        fc.array(fc.nat(reads.length - 1), { maxLength: 6 }),
        (bytes, order) => {
          const reader = new ByteReader(bytes);
          try {
            for (const index of order) reads[index]?.(reader);
          } catch (error) {
            expect(isFault(error, "invalid")).to.equal(true);
          }
          expect(reader.remaining).to.be.at.least(0);
        },
      ),
    );
  });
});

describe("a bounded queue", () => {
  it("keeps order, and refuses what passes a bound", () => {
    const queue = new BoundedQueue<string>({ maxItems: 3, maxWeight: 10 }, (item) => item.length);
    expect([queue.push("aaaa"), queue.push("bbbb"), queue.push("ccc"), queue.push("c"), queue.push("d")]).to.deep.equal(
      [true, true, false, true, false],
    );
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).to.deep.equal([
      "aaaa",
      "bbbb",
      "c",
      undefined,
    ]);
    expect(queue.weight).to.equal(0);
  });
});

describe("a bounded queue that is emptied", () => {
  class Heavy {
    readonly seconds = 1;
  }

  it("holds on to nothing", () => {
    const queue = new BoundedQueue<Heavy>({ maxItems: 100, maxWeight: 100 }, ({ seconds }) => seconds);
    for (let count = 0; count < 60; count += 1) queue.push(new Heavy());
    while (queue.shift() !== undefined);
    // One may still stand in a register of the loop.
    expect(queryObjects(Heavy, { format: "count" })).to.be.at.most(1);
    queue.push(new Heavy());
    expect(queue.length).to.equal(1);
  });
});

describe("a lifecycle", () => {
  it("closes in reverse order, and goes on when a part fails or hangs", async () => {
    const clock = new VirtualClock();
    const closed: string[] = [];
    const life = new Lifecycle(clock, silentLog());
    const part = (name: string, close: () => Promise<void> | void) => life.start(name, () => ({ close }));
    await part("a", () => void closed.push("a"));
    await part("b", () => new Promise(() => undefined));
    await part("c", () => {
      throw new Error("no");
    });
    await part("d", () => void closed.push("d"));
    const done = life.close(1000);
    await clock.advance(1000);
    await done;
    expect(closed).to.deep.equal(["d", "a"]);
  });

  it("closes what was started when a later part does not start", async () => {
    const closed: string[] = [];
    const life = new Lifecycle(new VirtualClock(), silentLog());
    await life.start("a", () => ({ close: () => void closed.push("a") }));
    const failure = await life
      .start("b", () => {
        throw new Fault("unavailable", "no");
      })
      .catch((error: unknown) => error);
    expect(isFault(failure, "unavailable")).to.equal(true);
    expect(closed).to.deep.equal(["a"]);
  });
});

describe("the lock of a folder", () => {
  it("keeps a second holder out until the first lets go", () => {
    const folder = mkdtempSync(join(tmpdir(), "viaduct-lock-"));
    try {
      const first = lockFolder(folder);
      expect(() => lockFolder(folder)).to.throw(Fault, /another Viaduct process/);
      void first.close();
      void lockFolder(folder).close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
