// Pictures of an answer, drawn as SVG at the width that there is.

const SPACE = "http://www.w3.org/2000/svg";
const LEFT = 44;
const RIGHT = 8;

function node(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export const clock = (seconds) => {
  const tenths = Math.round(Math.abs(seconds) * 10);
  const sign = seconds < 0 && tenths ? "-" : "";
  return `${sign}${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
};

const short = (seconds) => clock(seconds).replace(/\.0$/, "");

/** Draw now, and again whenever the place changes its width. */
export function drawn(place, label, draw) {
  place.observer?.disconnect();
  const redraw = () => {
    const width = Math.max(240, place.clientWidth);
    if (place.drawnWidth === width) return;
    place.drawnWidth = width;
    const picture = draw(width);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", label);
    place.replaceChildren(picture);
  };
  place.drawnWidth = undefined;
  place.observer = new ResizeObserver(redraw);
  place.observer.observe(place);
  redraw();
}

function frame(width, height) {
  return node("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
}

function ticks(picture, from, to, x, bottom, width) {
  const wanted = Math.max(2, Math.floor(width / 90));
  const steps = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300];
  const step = steps.find((one) => (to - from) / one <= wanted) ?? 600;
  for (let at = Math.ceil(from / step) * step; at <= to + 1e-6; at += step) {
    picture.append(node("line", { class: "axis", x1: x(at), x2: x(at), y1: bottom, y2: bottom + 5 }));
    const anchor = x(at) > width - 20 ? "end" : "middle";
    picture.append(node("text", { x: x(at), y: bottom + 19, "text-anchor": anchor }, short(at)));
  }
}

function scale(picture, y, values, width) {
  for (const value of values) {
    picture.append(node("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
    picture.append(node("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
}

/** P(music) over the recording, the music in it, and the eight seconds that were looked up. */
export function probabilityPicture(answer, width) {
  const { probabilities, segments, enter_threshold: enter } = answer.detection;
  const [top, bottom, height] = [10, 128, 156];
  const picture = frame(width, height);
  const x = (seconds) => LEFT + ((width - LEFT - RIGHT) * seconds) / answer.duration_s;
  const y = (value) => bottom - (bottom - top) * value;
  for (const [from, to] of segments) {
    picture.append(node("rect", { class: "music", x: x(from), width: Math.max(1, x(to) - x(from)), y: top, height: bottom - top }));
  }
  scale(picture, y, [0, 0.5, 1], width);
  picture.append(node("line", { class: "threshold", x1: LEFT, x2: width - RIGHT, y1: y(enter), y2: y(enter) }));
  const points = probabilities.map(([seconds, value]) => `${x(seconds).toFixed(1)},${y(value).toFixed(1)}`);
  if (points.length === 1) points.unshift(`${LEFT},${y(probabilities[0][1]).toFixed(1)}`);
  picture.append(node("polyline", { class: "curve", points: points.join(" ") }));
  const start = answer.recognition?.explanation.query_start_s;
  if (start !== undefined) {
    const end = Math.min(start + 8, answer.duration_s);
    picture.append(node("rect", { class: "query", x: x(start), width: x(end) - x(start), y: top - 4, height: bottom - top + 4, rx: 3 }));
  }
  ticks(picture, 0, answer.duration_s, x, bottom, width);
  return picture;
}

const edges = (centres) => {
  const step = centres.length > 1 ? centres[1] - centres[0] : 1;
  return [centres[0] - step / 2, centres[centres.length - 1] + step / 2, step];
};

/** The query against the song, every fingerprint with every one, and below it the evidence of each, over the recording. */
export function alignmentPicture(alignment, steps, start, width) {
  const { times_s: times, reference_s: reference, similarities, offset_s: offset } = alignment;
  const [top, mapBottom, lineTop, lineBottom, height] = [8, 248, 270, 370, 398];
  const picture = frame(width, height);
  const [fromX, toX, stepX] = edges(times);
  const [fromY, toY, stepY] = edges(reference);
  const x = (seconds) => LEFT + ((width - LEFT - RIGHT) * (seconds - fromX)) / (toX - fromX);
  const y = (seconds) => mapBottom - ((mapBottom - top) * (seconds - fromY)) / (toY - fromY);
  picture.append(node("rect", { class: "ground", x: LEFT, y: top, width: width - LEFT - RIGHT, height: mapBottom - top }));
  similarities.forEach((row, line) =>
    row.forEach((value, column) => {
      const place = {
        x: x(times[column] - stepX / 2).toFixed(2),
        y: y(reference[line] + stepY / 2).toFixed(2),
        width: (x(stepX) - x(0)).toFixed(2),
        height: (y(0) - y(stepY)).toFixed(2),
      };
      if (value === null) picture.append(node("rect", { class: "silent", ...place }));
      else if (value > 0.02) picture.append(node("rect", { class: "cell", ...place, "fill-opacity": Math.min(1, value).toFixed(2) }));
    }),
  );
  const within = times.filter((time) => time + offset >= fromY && time + offset <= toY);
  if (within.length) {
    const [first, last] = [within[0], within[within.length - 1]];
    for (const kind of ["halo", "fit"]) {
      picture.append(node("line", { class: kind, x1: x(first), x2: x(last), y1: y(first + offset), y2: y(last + offset) }));
    }
  }
  const span = toY - fromY;
  const step = [1, 2, 5, 10, 20].find((one) => span / one <= 6) ?? 30;
  for (let at = Math.ceil(fromY / step) * step; at <= toY; at += step) {
    if (y(at) < top + 8) continue;
    picture.append(node("text", { x: LEFT - 6, y: y(at) + 4, "text-anchor": "end" }, short(at)));
  }
  const level = (value) => lineBottom - (lineBottom - lineTop) * Math.max(0, Math.min(1, value));
  scale(picture, level, [0, 0.5, 1], width);
  const line = (key) =>
    steps.filter((one) => one[key] !== null).map((one) => `${x(one.time_s).toFixed(1)},${level(one[key]).toFixed(1)}`).join(" ");
  picture.append(node("polyline", { class: "cohort", points: line("cohort_similarity") }));
  picture.append(node("polyline", { class: "runner", points: line("runner_up_similarity") }));
  picture.append(node("polyline", { class: "song", points: line("similarity") }));
  for (const one of steps) picture.append(node("circle", { class: "song-dot", cx: x(one.time_s), cy: level(one.similarity), r: 2.5 }));
  ticks(picture, start + Math.max(0, fromX), start + toX, (seconds) => x(seconds - start), lineBottom, width);
  return picture;
}
