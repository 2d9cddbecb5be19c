import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, type Camera, type Stream } from "../api.ts";
import { Empty, stateWords, Trouble, wordsOf } from "../parts.tsx";
import { CameraDetail } from "./camera.tsx";
import { Picture } from "./picture.tsx";

/** Until the next look at the list; shorter while something is about to change. */
const REFRESH_MS = { settled: 3000, connecting: 500 };

/** All cameras that the account may see, with a live picture of the one that is chosen. */
export function Cameras(props: { readonly mayAdopt: boolean; readonly onDiscover: () => void }): JSX.Element {
  const [cameras, setCameras] = useState<readonly Camera[] | undefined>(undefined);
  const [trouble, setTrouble] = useState<string | undefined>(undefined);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const [wall, setWall] = useState(false);
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
  const choose = (id: string): void => {
    setChosen(id);
    setWall(false);
  };
  if (wall)
    return (
      <>
        <Trouble text={trouble} />
        <Wall cameras={cameras} onChoose={choose} onBack={() => setWall(false)} />
      </>
    );
  const current = cameras.find((camera) => camera.id === chosen) ?? cameras[0];
  return (
    <div class="split">
      <section aria-label="Cameras">
        <Trouble text={trouble} />
        <button type="button" class="quiet" onClick={() => setWall(true)}>
          All pictures
        </button>
        <ul class="list">
          {cameras.map((camera) => (
            <li key={camera.id}>
              <button
                type="button"
                class="row"
                aria-current={camera.id === current?.id ? "true" : undefined}
                onClick={() => choose(camera.id)}
              >
                <span class={`dot ${camera.connection.state}`} aria-hidden="true" />
                <span class="grow">
                  <strong>{camera.name}</strong>
                  <small>
                    {camera.maker === ""
                      ? camera.streams[0].tracks.map((track) => track.encoding).join(", ")
                      : camera.maker}
                  </small>
                </span>
                <small>{stateWords(camera.connection)}</small>
              </button>
            </li>
          ))}
        </ul>
      </section>
      {current === undefined ? null : <CameraDetail key={current.id} camera={current} mayAdopt={props.mayAdopt} />}
    </div>
  );
}

/** The pictures of all cameras that may be watched, small. */
function Wall(props: {
  readonly cameras: readonly Camera[];
  readonly onChoose: (id: string) => void;
  readonly onBack: () => void;
}): JSX.Element {
  return (
    <section aria-label="All pictures">
      <button type="button" class="quiet" onClick={props.onBack}>
        List of cameras
      </button>
      <ul class="wall">
        {props.cameras
          .filter((camera) => camera.mayWatch)
          .map((camera) => (
            <li key={camera.id}>
              <Picture camera={camera.id} stream={smallStreamOf(camera).name} />
              <button type="button" class="quiet" onClick={() => props.onChoose(camera.id)}>
                {camera.name}
              </button>
            </li>
          ))}
      </ul>
    </section>
  );
}

/** The sub-stream where every browser can show it. */
function smallStreamOf({ streams }: Camera): Stream {
  const sub = streams.find(({ name }) => name === "sub");
  return sub?.tracks.some(({ encoding }) => encoding.toUpperCase() === "H264") === true ? sub : streams[0];
}
