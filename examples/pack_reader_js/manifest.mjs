// The manifest (section 1 of docs/pack-format.md): what is in the folder, and proof that nothing was changed.
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SUFFIX = { songs: 'sqlite', cells: 'ann' };
const ROLES = ['song_starts', 'list_starts', 'codes', 'centroids', 'rotation', 'cells', 'order_bits', 'order_counts',
  'songs'];

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

// O_NOFOLLOW: a link could lead out of the folder. O_NONBLOCK: a pipe must not hang us.
function readPlainFile(path, accept) {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const info = fstatSync(file);
    if (!info.isFile()) throw new Error(`${path} is not a plain file`);
    accept(info.size);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

// A string in ASCII, as the digest wants it.
const ascii = (text) => JSON.stringify(text)
  .replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

// The digest covers numbers as they are written ("1.0", which JSON.parse would turn into 1), so this walks
// over the tokens of the text (already known to be valid JSON) instead of over the parsed object.
function canonical(text) {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs);
  let at = 0;
  const value = (top) => {
    const token = tokens[at++];
    if (token[0] === '"') return ascii(JSON.parse(token));
    if (token !== '{' && token !== '[') return token;
    const close = token === '{' ? '}' : ']';
    const items = [];
    while (tokens[at] !== close) {
      if (tokens[at] === ',') at++;
      let key = null;
      if (token === '{') { key = JSON.parse(tokens[at]); at += 2; }
      items.push([key, value(false)]);
    }
    at++;
    if (token === '[') return `[${items.map((item) => item[1]).join(',')}]`;
    return `{${items.filter(([key]) => !(top && key === 'digest')).sort((a, b) => (a[0] < b[0] ? -1 : 1))
      .map(([key, inner]) => `${ascii(key)}:${inner}`).join(',')}}`;
  };
  return value(true);
}

export function readManifest(folder) {
  const text = readPlainFile(join(folder, 'manifest.json'), (size) => {
    if (size > 1 << 20) throw new Error('manifest.json is larger than 1 MiB');
  }).toString('utf8');
  const manifest = JSON.parse(text);
  if (manifest?.kind !== 'database' || ![2, 4].includes(manifest.schema_version)) {
    throw new Error('not a song database of schema 2 or 4');
  }
  if (manifest.schema_version === 4 && manifest.code_kind !== 'residual') throw new Error('bad code_kind');
  if (manifest.layout !== 'pq') throw new Error(`layout ${JSON.stringify(manifest.layout)} is not "pq"`);
  if (sha256(canonical(text)) !== manifest.digest) throw new Error('manifest.json does not fit its digest');
  for (const key of ['n_songs', 'n_slots', 'n_fingerprints', 'n_codes', 'n_cells', 'n_subspaces', 'dim']) {
    if (!Number.isInteger(manifest[key]) || manifest[key] < 0 || manifest[key] > 0xffffffff) throw new Error(`bad ${key}`);
  }
  const { dim, n_cells, n_subspaces, n_codes, n_fingerprints, hop_s } = manifest;
  const fits = manifest.schema_version === 4 || dim % n_subspaces === 0;
  if (!dim || !n_cells || !n_subspaces || !fits || n_codes > n_fingerprints || !(hop_s > 0)) {
    throw new Error('the sizes in manifest.json contradict each other');
  }
  return manifest;
}

// Codes whose bytes name whole vectors have words in whole numbers, a map that smooths references, and a cohort only
// where it does not follow from the cells.
function rolesOf(manifest) {
  if (manifest.schema_version === 2) return [...ROLES, 'pq_centroids', 'cohort'];
  return [...ROLES, 'words', 'word_steps', 'smoothing', ...(manifest.files?.cohort ? ['cohort'] : [])];
}

// All files by role, each compared with its size and hash before anyone looks inside.
export function readFiles(folder, manifest) {
  const files = {};
  for (const role of rolesOf(manifest)) {
    const entry = manifest.files?.[role];
    const pattern = new RegExp(`^${role}-[0-9]+\\.${SUFFIX[role] ?? 'npy'}$`);
    if (typeof entry?.name !== 'string' || !pattern.test(entry.name)) throw new Error(`bad name for ${role}`);
    files[role] = readPlainFile(join(folder, entry.name), (size) => {
      if (size !== entry.bytes) throw new Error(`${entry.name} has the wrong size`);
    });
    if (sha256(files[role]) !== entry.sha256) throw new Error(`${entry.name} does not fit its hash`);
  }
  return files;
}
