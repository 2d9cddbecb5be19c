import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Playback, type PlaybackView, SPEEDS } from "./course.ts";
import { instantWords, localText } from "./instant-words.ts";

/** Buttons, keys and fields that say what is played: speed, direction, instant. */
export function Controls(props: { readonly playback: Playback; readonly view: PlaybackView | undefined }): JSX.Element {
  const { playback, view } = props;
  const { playing = false, speed = 1, instant = Date.now() } = view ?? {};
  const play = (): void => (playing ? playback.pause() : playback.play());
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLElement && event.target.closest("input, select, button, a, dialog") !== null)
        return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === " ") play();
      else if (event.key === ".") playback.step(1);
      else if (event.key === ",") playback.step(-1);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
  return (
    <div class="controls">
      <button
        type="button"
        aria-label="One picture back"
        title="One picture back (,)"
        onClick={() => playback.step(-1)}
      >
        ◂
      </button>
      <button type="button" class="primary" title="Space" onClick={play}>
        {playing ? "Pause" : "Play"}
      </button>
      <button type="button" aria-label="One picture on" title="One picture on (.)" onClick={() => playback.step(1)}>
        ▸
      </button>
      <label>
        Speed{" "}
        <select
          value={String(speed)}
          onChange={(event) => {
            const chosen = Number(event.currentTarget.value);
            playback.play(chosen);
            if (!playing) playback.pause();
          }}
        >
          {SPEEDS.map((one) => (
            <option key={one} value={String(one)}>
              {one < 0 ? `${-one}× back` : `${one}×`}
            </option>
          ))}
        </select>
      </label>
      <output class="instant" data-instant={playback.shown ?? ""}>
        {instantWords(playback.shown ?? instant)}
      </output>
      <span class="grow" />
      <GoTo playback={playback} />
    </div>
  );
}

/** An instant to go to, in the time of this browser. */
function GoTo({ playback }: { readonly playback: Playback }): JSX.Element {
  const [day, setDay] = useState("");
  const [time, setTime] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    const now = localText(playback.instant);
    const at = new Date(`${day || now.day}T${time || (day === "" ? now.time : "00:00:00")}`).getTime();
    if (!Number.isNaN(at)) playback.jump(at);
  };
  return (
    <form class="go-to" onSubmit={submit}>
      <input type="date" aria-label="Day" value={day} onInput={(event) => setDay(event.currentTarget.value)} />
      <input
        type="time"
        step="1"
        aria-label="Time"
        value={time}
        onInput={(event) => setTime(event.currentTarget.value)}
      />
      <button type="submit">Go</button>
      <button
        type="button"
        onClick={() => {
          const { extent } = playback;
          if (extent !== undefined) playback.jump(Math.max(extent.from, extent.to - 5000));
        }}
      >
        Newest
      </button>
    </form>
  );
}
