import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Camera, type Connection, type TransportSetting } from "../api.ts";
import { LivePlayer, type LiveState } from "../live-player.ts";
import { ago, Copyable, Dialog, Empty, Trouble, useTask, wordsOf } from "../parts.tsx";

/** Until the next look at the list; shorter while something is about to change. */
const REFRESH_MS = { settled: 3000, connecting: 500 };

/** All cameras that the account may see, with a live picture of the one that is chosen. */
export function Cameras(props: { readonly mayAdopt: boolean; readonly onDiscover: () => void }): JSX.Element {
  const [cameras, setCameras] = useState<readonly Camera[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  useEffect(() => {
    let timer: number | undefined;
    let stopped = false;
    const load = async (): Promise<void> => {
      let waitMs = REFRESH_MS.settled;
      try {
        const list = await api.cameras();
        if (stopped) return;
        if (list.some(({ connection }) => connection.state === "connecting")) waitMs = REFRESH_MS.connecting;
        setCameras(list);
        setTrouble(undefined);
      } catch (error) {
        if (stopped) return;
        setTrouble(wordsOf(error));
      }
      timer = window.setTimeout(() => void load(), waitMs);
    };
    void load();
    return () => {
      stopped = true;
      window.clearTimeout(timer);
    };
  }, []);

  if (cameras === undefined)
    return trouble === undefined ? <p class="loading">Loading cameras…</p> : <Trouble text={trouble} />;
  if (cameras.length === 0)
    return (
      <Empty title="No cameras yet">
        {props.mayAdopt ? (
          <button type="button" class="primary" onClick={props.onDiscover}>
            Find cameras
          </button>
        ) : (
          <p>No camera has been shared with your account.</p>
        )}
      </Empty>
    );
  const current = cameras.find((camera) => camera.id === chosen) ?? cameras[0];
  return (
    <div class="split">
      <section aria-label="Cameras">
        <Trouble text={trouble} />
        <ul class="list">
          {cameras.map((camera) => (
            <li key={camera.id}>
              <button
                type="button"
                class="row"
                aria-current={camera.id === current?.id ? "true" : undefined}
                onClick={() => setChosen(camera.id)}
              >
                <span class={`dot ${camera.connection.state}`} aria-hidden="true" />
                <span class="grow">
                  <strong>{camera.name}</strong>
                  <small>
                    {camera.maker === "" ? camera.tracks.map((track) => track.encoding).join(", ") : camera.maker}
                  </small>
                </span>
                <small>{stateWords(camera.connection)}</small>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {current === undefined ? null : <Detail key={current.id} camera={current} mayAdopt={props.mayAdopt} />}
    </div>
  );
}

function stateWords(connection: Connection): string {
  if (connection.state === "online") return "online";
  if (connection.state === "connecting") return "connecting";
  return `offline for ${ago(connection.since)}`;
}

function Detail({ camera, mayAdopt }: { readonly camera: Camera; readonly mayAdopt: boolean }): JSX.Element {
  const [removing, setRemoving] = useState(false);
  return (
    <section class="detail" aria-label={camera.name}>
      {camera.mayWatch ? <Picture id={camera.id} /> : <Empty title="You may not watch this camera live" />}
      <header class="title">
        <h2>{camera.name}</h2>
        {mayAdopt ? (
          <button type="button" class="quiet danger" onClick={() => setRemoving(true)}>
            Remove…
          </button>
        ) : null}
      </header>
      <Trouble
        text={camera.connection.state === "offline" ? `Offline: ${camera.connection.why ?? "no answer"}` : undefined}
      />
      <dl>
        <dt>Stream</dt>
        <dd>{streamWords(camera)}</dd>
        {mayAdopt ? <Transport camera={camera} /> : null}
        {camera.unrecordable.length === 0 ? null : (
          <>
            <dt>Not recorded</dt>
            <dd>{camera.unrecordable.join("; ")}</dd>
          </>
        )}
        {camera.quirks.length === 0 ? null : (
          <>
            <dt>Quirks</dt>
            <dd>
              <ul>
                {camera.quirks.map(({ name, does, copes }) => (
                  <li key={name} title={name}>
                    It {does}. <small>The bridge {copes}.</small>
                  </li>
                ))}
              </ul>
            </dd>
          </>
        )}
        {camera.mayWatch ? (
          <>
            <dt>Live</dt>
            <dd>
              <Copyable text={camera.addresses.live} label="live address" />
            </dd>
          </>
        ) : null}
        {camera.mayPlayBack ? (
          <>
            <dt>Recorded</dt>
            <dd>
              <Copyable text={`${camera.addresses.recorded}?at=-1m`} label="address of recordings" />
            </dd>
          </>
        ) : null}
      </dl>
      {removing ? <Removal camera={camera} onClose={() => setRemoving(false)} /> : null}
    </section>
  );
}

function streamWords({ tracks, transport }: Camera): string {
  if (tracks.length === 0) return "not described yet";
  const media = tracks.map((track) => `${track.kind} ${track.encoding}`).join(", ");
  return transport.used === undefined ? media : `${media} over ${transport.used.toUpperCase()}`;
}

const TRANSPORTS: readonly (readonly [TransportSetting, string])[] = [
  ["auto", "Automatic"],
  ["tcp", "TCP alone"],
  ["udp", "UDP alone"],
];

function Transport({ camera }: { readonly camera: Camera }): JSX.Element {
  const task = useTask();
  const [chosen, setChosen] = useState(camera.transport.setting);
  const choose = (transport: TransportSetting): void => {
    setChosen(transport);
    task.run(() => api.changeCamera(camera.id, { transport }));
  };
  return (
    <>
      <dt>
        <label for="transport">Transport</label>
      </dt>
      <dd>
        <select
          id="transport"
          disabled={task.busy}
          value={chosen}
          onChange={(event) => choose(event.currentTarget.value as TransportSetting)}
        >
          {TRANSPORTS.map(([setting, words]) => (
            <option key={setting} value={setting}>
              {words}
            </option>
          ))}
        </select>
        <Trouble text={task.trouble} />
      </dd>
    </>
  );
}

function Removal(props: { readonly camera: Camera; readonly onClose: () => void }): JSX.Element {
  const task = useTask();
  const remove = (): void =>
    task.run(async () => {
      await api.removeCamera(props.camera.id);
      props.onClose();
    });
  return (
    <Dialog title={`Remove ${props.camera.name}?`} onClose={props.onClose}>
      <p>
        The bridge stops to record it, and clients that watch it are disconnected. What was recorded stays until it is
        too old.
      </p>
      <Trouble text={task.trouble} />
      <footer>
        <button type="button" onClick={props.onClose}>
          Keep
        </button>
        <button type="button" class="primary danger" disabled={task.busy} onClick={remove}>
          Remove
        </button>
      </footer>
    </Dialog>
  );
}

function Picture({ id }: { readonly id: string }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<LiveState>({ at: "connecting" });
  useEffect(() => {
    if (video.current === null) return undefined;
    const player = new LivePlayer(video.current, id, setState);
    return () => player.close();
  }, [id]);
  return (
    <div class="picture" data-state={state.at}>
      <video ref={video} muted playsInline aria-label="Live picture" />
      {state.at === "playing" ? <span class="badge">LIVE</span> : null}
      {state.at === "connecting" ? <p>Waiting for the picture…</p> : null}
      {state.at === "stopped" ? <p>{state.why}</p> : null}
    </div>
  );
}
