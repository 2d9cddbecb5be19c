import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openDatabase } from "../../base/database.ts";
import type { Fault } from "../../base/fault.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { unixMillis } from "../../base/units.ts";
import { type CameraSchema, cameraMigrations } from "../../bridge/camera-schema.ts";
import { type CameraRecord, CameraStore, cameraIdFor, type StreamRecord } from "../../bridge/camera-store.ts";
import type { Track } from "../../media/track.ts";

const H264: Track = {
  kind: "video",
  codec: "H264",
  encoding: "H264",
  payloadType: 96,
  clockRateHz: 90_000,
  channels: 1,
  fmtp: "packetization-mode=1",
};

const main: StreamRecord = {
  name: "main",
  number: 1,
  url: "rtsp://10.0.0.9:554/main",
  pulling: "always",
  recording: { mode: "continuous" },
  workedTransport: undefined,
  tracks: [],
};

const gate: CameraRecord = {
  id: "gate",
  name: "Gate",
  manufacturer: "Maker",
  model: undefined,
  serial: "1",
  ip: "10.0.0.9",
  deviceUrl: "http://10.0.0.9/onvif/device_service",
  credentials: { user: "service", password: new Secret("pass wörd") },
  tlsPin: undefined,
  plainText: false,
  transport: "udp",
  retention: { minDays: 3 },
  streams: [
    main,
    { ...main, name: "sub", number: 2, url: "rtsp://10.0.0.9:554/sub", pulling: "on-demand", tracks: [H264] },
  ],
  adoptedAt: unixMillis(1_700_000_000_000),
};

describe("the camera store", () => {
  it("gives back what was saved, with the password sealed in the file", async () => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7)));
    await store.add(gate);
    await store.add({ ...gate, id: "open", credentials: undefined });
    const [first, second] = await store.list();
    expect({ ...first, credentials: first?.credentials?.password.reveal() }).to.deep.equal({
      ...gate,
      credentials: "pass wörd",
    });
    expect(second?.credentials).to.equal(undefined);
    const rows = await database.query.selectFrom("camera").selectAll().execute();
    expect(JSON.stringify(rows)).not.to.include("pass w");
    await store.remove("gate");
    expect((await store.list()).map(({ id }) => id)).to.deep.equal(["open"]);
    expect(await store.retired()).to.deep.equal(new Set(["gate"]));
    expect(await store.remove("gate").catch((error: unknown) => (error as Fault).kind)).to.equal("not-found");
    await database.close();
  });
});

describe("the streams of a camera", () => {
  const reopened = async (act: (store: CameraStore) => Promise<void>): Promise<CameraRecord | undefined> => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7)));
    await store.add(gate);
    await act(store);
    const [record] = await store.list();
    await database.close();
    return record;
  };

  it("keep what was set for the camera, and each of them what worked and what was described", async () => {
    const record = await reopened(async (store) => {
      await store.setTransport("gate", "tcp");
      await store.setPulling("gate", "main", "on-demand");
      await store.rememberTransport("gate", "sub", "udp");
      await store.rememberTracks("gate", "main", [H264]);
    });
    expect(record?.transport).to.equal("tcp");
    expect(record?.streams).to.deep.equal([
      { ...main, pulling: "on-demand", tracks: [H264] },
      { ...gate.streams[1], workedTransport: "udp" },
    ]);
  });

  it("are one, pulled always, of cameras that were adopted when there was no other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "viaduct-store-"));
    const path = join(folder, "old.db");
    const before = Object.fromEntries(Object.entries(cameraMigrations).filter(([name]) => name < "camera-0003"));
    const old = await openDatabase<CameraSchema>(path, before);
    const row = { id: "old", name: "Old", ip: "10.0.0.8", stream_url: "rtsp://10.0.0.8/", adopted_at_ms: 1 };
    await old.query
      .insertInto("camera")
      .values(row as unknown as CameraSchema["camera"])
      .execute();
    await old.close();
    const database = await openDatabase<CameraSchema>(path, cameraMigrations);
    const [record] = await new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7))).list();
    expect(record).to.include({ id: "old", transport: "auto" });
    expect(record?.streams).to.deep.equal([{ ...main, url: "rtsp://10.0.0.8/" }]);
    await database.close();
    await rm(folder, { recursive: true });
  });

  it("cannot be changed where there are none, and nothing is remembered of those that are gone", async () => {
    const record = await reopened(async (store) => {
      for (const change of [
        store.setTransport("none", "tcp"),
        store.setPulling("none", "main", "always"),
        store.setPulling("gate", "none", "always"),
      ])
        expect(await change.catch((error: unknown) => (error as Fault).kind)).to.equal("not-found");
      await store.rememberTransport("none", "main", "udp");
      await store.rememberTracks("gate", "none", [H264]);
    });
    expect(record?.streams).to.deep.equal(gate.streams);
  });
});

describe("the number of a stream", () => {
  it("is one of its own also where cameras are saved at the same time", async () => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32)));
    const added = await Promise.all(["gate", "yard", "door"].map((id) => store.add({ ...gate, id })));
    const numbers = added.flatMap(({ streams }) => streams.map(({ number }) => number));
    expect(numbers.toSorted((a, b) => a - b)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    await database.close();
  });

  it("is the lowest that no other stream has, and stays", async () => {
    const database = await openDatabase<CameraSchema>(":memory:", cameraMigrations);
    const store = new CameraStore(database.query, new Sealer(Buffer.alloc(32, 7)));
    const add = async (id: string): Promise<readonly number[]> =>
      (await store.add({ ...gate, id })).streams.map(({ number }) => number);
    expect([await add("a"), await add("b"), await add("c")]).to.deep.equal([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    await store.remove("b");
    const { streams, ...camera } = gate;
    expect((await store.add({ ...camera, id: "d", streams: [streams[0]] })).streams[0].number).to.equal(3);
    expect(await add("e")).to.deep.equal([4, 7]);
    const numbers = (await store.list()).map((record) => [record.id, ...record.streams.map(({ number }) => number)]);
    expect(numbers.map(String)).to.have.members(["a,1,2", "c,5,6", "d,3", "e,4,7"]);
    await database.close();
  });
});

describe("a camera id", () => {
  const rows: readonly (readonly [name: string, taken: readonly string[], id: string])[] = [
    ["Front Door", [], "front-door"],
    ["Front Door", ["front-door"], "front-door-2"],
    ["Front Door", ["front-door", "front-door-2"], "front-door-3"],
    ["Tür Süd", [], "tu-r-su-d"],
    ["../../etc/passwd", [], "etc-passwd"],
    ["東京", [], "camera"],
    ["", ["camera"], "camera-2"],
    ["x".repeat(200), [], "x".repeat(48)],
  ];
  for (const [name, taken, id] of rows)
    it(`of "${name.slice(0, 20)}" is ${id.slice(0, 20)} where ${taken.length} are taken`, () => {
      expect(cameraIdFor(name, (one) => taken.includes(one))).to.equal(id);
    });
});
