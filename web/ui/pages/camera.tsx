import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, type Camera, type Connection, type Pulling, type Stream } from "../api.ts";
import { Copyable, Empty, Removal, stateWords, Trouble, useTask } from "../parts.tsx";
import { Picture } from "./picture.tsx";
import { Ptz } from "./ptz/ptz.tsx";
import { RecordingLine } from "./recording.tsx";
import { TRANSPORTS } from "./transports.ts";

/** One camera: its live picture, how it does, and what can be set. */
export function CameraDetail({
  camera,
  mayAdopt,
}: {
  readonly camera: Camera;
  readonly mayAdopt: boolean;
}): JSX.Element {
  const [removing, setRemoving] = useState(false);
  return (
    <section class="detail" aria-label={camera.name}>
      {camera.mayWatch ? (
        <Picture
          camera={camera.id}
          stream={camera.streams[0].name}
          sound={camera.mayHear && hasSound(camera.streams[0])}
        />
      ) : (
        <Empty title="You may not watch this camera live" />
      )}
      <header class="title">
        <h2>{camera.name}</h2>
        {mayAdopt ? (
          <button type="button" class="quiet danger" onClick={() => setRemoving(true)}>
            Remove…
          </button>
        ) : null}
      </header>
      <Trouble text={troubleOf(camera.connection)} />
      <Ptz camera={camera} />
      <dl>
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
        {camera.mayPlayBack ? (
          <>
            <dt>Recorded</dt>
            <dd>
              <Copyable text={`${camera.recordedAddress}?at=-1m`} label="address of recordings" />
            </dd>
          </>
        ) : null}
      </dl>
      {camera.streams.map((stream) => (
        <StreamPart key={stream.name} camera={camera} stream={stream} mayAdopt={mayAdopt} />
      ))}
      {removing ? (
        <Removal
          title={`Remove ${camera.name}?`}
          verb="Remove"
          onRemove={() => api.removeCamera(camera.id)}
          onClose={() => setRemoving(false)}
        >
          The bridge stops to record it, and clients that watch it are disconnected. What was recorded stays until it is
          too old.
        </Removal>
      ) : null}
    </section>
  );
}

function StreamPart(props: {
  readonly camera: Camera;
  readonly stream: Stream;
  readonly mayAdopt: boolean;
}): JSX.Element {
  const { camera, stream } = props;
  const isMain = stream === camera.streams[0];
  return (
    <section class="stream" aria-label={`Stream ${stream.name}`}>
      <h3>
        {isMain ? "Main stream" : `Stream ${stream.name}`} <small>{stateWords(stream.connection)}</small>
      </h3>
      {isMain ? null : <Trouble text={troubleOf(stream.connection)} />}
      <dl>
        <dt>Carries</dt>
        <dd>{streamWords(stream)}</dd>
        <RecordingLine camera={camera.id} stream={stream} />
        {props.mayAdopt ? <PullingChoice camera={camera} stream={stream} /> : null}
        {camera.mayWatch ? (
          <>
            <dt>Live</dt>
            <dd>
              <Copyable text={stream.address} label={`live address of ${stream.name}`} />
            </dd>
          </>
        ) : null}
      </dl>
    </section>
  );
}

function hasSound({ tracks }: Stream): boolean {
  return tracks.some(({ kind }) => kind === "audio");
}

function troubleOf(connection: Connection): string | undefined {
  return connection.state === "offline" ? `Offline: ${connection.why ?? "no answer"}` : undefined;
}

function streamWords({ tracks, transport }: Stream): string {
  if (tracks.length === 0) return "not described yet";
  const media = tracks.map((track) => `${track.kind} ${track.encoding}`).join(", ");
  return transport === undefined ? media : `${media} over ${transport.toUpperCase()}`;
}

const PULLING: readonly (readonly [Pulling, string])[] = [
  ["always", "Always"],
  ["on-demand", "While it is watched or recorded"],
];

function PullingChoice(props: { readonly camera: Camera; readonly stream: Stream }): JSX.Element {
  const { camera, stream } = props;
  return (
    <Choice
      id={`pulling-${stream.name}`}
      label="Pulled"
      value={stream.pulling}
      options={PULLING}
      onChoose={(pulling) => api.changeStream(camera.id, stream.name, { pulling })}
    />
  );
}

function Transport({ camera }: { readonly camera: Camera }): JSX.Element {
  return (
    <Choice
      id="transport"
      label="Transport"
      value={camera.transport}
      options={TRANSPORTS}
      onChoose={(transport) => api.changeCamera(camera.id, { transport })}
    />
  );
}

/** A line of a list of facts that can be chosen anew, and is sent at once. */
function Choice<T extends string>(props: {
  readonly id: string;
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [T, string])[];
  readonly onChoose: (value: T) => Promise<void>;
}): JSX.Element {
  const task = useTask();
  const [chosen, setChosen] = useState(props.value);
  const choose = (value: T): void => {
    setChosen(value);
    task.run(() => props.onChoose(value));
  };
  return (
    <>
      <dt>
        <label for={props.id}>{props.label}</label>
      </dt>
      <dd>
        <select
          id={props.id}
          disabled={task.busy}
          value={chosen}
          onChange={(event) => choose(event.currentTarget.value as T)}
        >
          {props.options.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
        <Trouble text={task.trouble} />
      </dd>
    </>
  );
}
