// The page of an explorer: unpacks the numbers, paints the map, and answers hover, click and keys.
"use strict";

const about = JSON.parse(document.getElementById("texts").textContent)
const at = (id) => document.getElementById(id)
const shown = {clustering: about.chosen, map: 0, field: "label", hidden: new Set(), lit: null, point: -1}
let numbers, n, map, panels, visible, colours

// ---- numbers

async function unpack() {
  if (!("DecompressionStream" in window))
    throw new Error("it needs a browser of mid-2023 or later, which can unpack its numbers")
  const text = atob(at("numbers").textContent)
  const packed = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i)
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer())
  const kinds = {float64: Float64Array, float32: Float32Array, uint16: Uint16Array}
  const found = {}
  let start = 0
  for (const {name, kind, length} of about.contents) {
    const array = new kinds[kind](length), size = array.BYTES_PER_ELEMENT
    const own = new Uint8Array(array.buffer)
    for (let b = 0; b < size; b++)
      for (let i = 0, from = start + b * length; i < length; i++) own[i * size + b] = bytes[from + i]
    start += length * size
    found[name] = array
  }
  return found
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = bits >> 10 & 31, rest = bits & 1023
  if (exponent === 31) return rest ? NaN : sign * Infinity
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + rest / 1024) : 2 ** -14 * rest / 1024)
}

const clustering = () => about.clusterings[shown.clustering]
const isChosen = () => shown.clustering === about.chosen
const labelOf = (i, which = shown.clustering) => numbers[`labels_${which}`][shown.map * n + i]
const valueOf = (field, i) => half(numbers[field][shown.map * n + i]) * about.fields[field].scale
const nLevels = (which) =>
  numbers[`centroids_${which}`].length / about.variables.length / about.clusterings[which].numbers.length
// profiles of a single value are drawn as a line from one side to the other
const stretched = (values) => values.length === 1 ? [values[0], values[0]] : values
const levels = () => Array.from(numbers.levels)

function centroidOf(which, v, c) {
  const l = nLevels(which), k = about.clusterings[which].numbers.length
  return Array.from(numbers[`centroids_${which}`].subarray((v * k + c) * l, (v * k + c + 1) * l))
}

function quantilesOf(which, v, c) {
  const l = nLevels(which), k = about.clusterings[which].numbers.length
  return [0, 1, 2, 3, 4].map((q) => {
    const from = ((v * k + c) * 5 + q) * l
    return Array.from(numbers[`quantiles_${which}`].subarray(from, from + l))
  })
}

function profileOf(v, i) {
  const own = about.clusterings[about.chosen].numbers.indexOf(labelOf(i, about.chosen))
  const total = n * about.maps.length
  return centroidOf(about.chosen, v, own).map((value, l) => {
    const row = v * nLevels(about.chosen) + l
    return value + half(numbers.profiles[row * total + shown.map * n + i]) * numbers.scales[row]
  })
}

// ---- places

const columns = () => numbers.x.length
const middle = (i) => about.kind === "grid"
  ? [numbers.x[i % columns()], numbers.y[Math.floor(i / columns())]]
  : [numbers.x[i], numbers.y[i]]

function between(edges, value) {
  let low = 0, high = edges.length - 1
  if (!(value >= edges[0] && value < edges[high])) return -1
  while (high - low > 1) {
    const half = low + high >> 1
    if (value >= edges[half]) low = half; else high = half
  }
  return low
}

function isInside(i, x, y) {
  const m = numbers.corners_x.length / n
  let inside = false
  for (let a = i * m, b = a + m - 1, end = a + m; a < end; b = a++) {
    const xa = numbers.corners_x[a], ya = numbers.corners_y[a], xb = numbers.corners_x[b], yb = numbers.corners_y[b]
    if (ya > y !== yb > y && x < (xb - xa) * (y - ya) / (yb - ya) + xa) inside = !inside
  }
  return inside
}

function cellAt(x, y) {
  const turns = about.is_earth && !about.is_polar ? [0, 360, -360] : [0]
  for (const turn of turns) {
    const i = cellHere(x + turn, y)
    if (i >= 0 && visible[i]) return i
  }
  return -1
}

function cellHere(x, y) {
  if (about.kind === "grid") {
    const column = between(numbers.corners_x, x), row = between(numbers.corners_y, y)
    return column < 0 || row < 0 ? -1 : row * columns() + column
  }
  if (about.kind === "points") return nearest(x, y)
  for (let i = 0; i < n; i++) {
    if (y >= boxes[4 * i + 2] && y <= boxes[4 * i + 3] && x >= boxes[4 * i] && x <= boxes[4 * i + 1] && isInside(i, x, y)) return i
  }
  return -1
}

function nearest(x, y) {
  const unit = (map.x_range.end - map.x_range.start) / map.inner_width
  const high = (map.y_range.end - map.y_range.start) / map.inner_height
  let best = -1, least = 14 ** 2
  for (let i = 0; i < n; i++) {
    const apart = ((numbers.x[i] - x) / unit) ** 2 + ((numbers.y[i] - y) / high) ** 2
    if (apart < least && visible[i]) { least = apart; best = i }
  }
  return best
}

let boxes
function findBoxes() {
  const m = numbers.corners_x.length / n
  boxes = new Float32Array(4 * n)
  for (let i = 0; i < n; i++) {
    const xs = numbers.corners_x.subarray(i * m, (i + 1) * m), ys = numbers.corners_y.subarray(i * m, (i + 1) * m)
    boxes.set([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)], 4 * i)
  }
}

function placeOf(i) {
  const [x, y] = about.is_polar ? [numbers.lon[i], numbers.lat[i]] : middle(i)
  const digits = (value) => String(Number(value.toFixed(about.is_earth ? 4 : 6)))
  if (!about.is_earth) return `${about.dims[0]} ${digits(x)}` + (about.dims[1] ? `, ${about.dims[1]} ${digits(y)}` : "")
  const lon = ((x + 180) % 360 + 360) % 360 - 180
  return `${digits(Math.abs(y))}° ${y < 0 ? "S" : "N"}, ${digits(Math.abs(lon))}° ${lon < 0 ? "W" : "E"}`
}

// ---- the map

const model = (figure, name) => figure.document.get_model_by_name(name)
const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))

function fillSides() {
  if (about.kind === "points") return {x: Array.from(numbers.x), y: Array.from(numbers.y)}
  if (about.kind === "polygons") {
    const m = numbers.corners_x.length / n, x = [], y = []
    for (let i = 0; i < n; i++) {
      x.push(Array.from(numbers.corners_x.subarray(i * m, (i + 1) * m)).filter(isFinite))
      y.push(Array.from(numbers.corners_y.subarray(i * m, (i + 1) * m)).filter(isFinite))
    }
    return {x, y}
  }
  const w = columns(), ends = {left: [], right: [], bottom: [], top: []}
  for (let i = 0; i < n; i++) {
    const column = i % w, row = Math.floor(i / w)
    ends.left.push(numbers.corners_x[column])
    ends.right.push(numbers.corners_x[column + 1])
    ends.bottom.push(numbers.corners_y[row])
    ends.top.push(numbers.corners_y[row + 1])
  }
  return ends
}

let sides, raster
function prepareMap() {
  if (about.kind === "polygons") findBoxes()
  if (about.kind === "grid" && numbers.pixels_x.length) {
    const repeat = (counts) => Array.from(counts).flatMap((count, i) => Array(count).fill(i))
    raster = {columns: repeat(numbers.pixels_x), rows: repeat(numbers.pixels_y)}
    const x = numbers.corners_x, y = numbers.corners_y
    sides = {x: [x[0]], y: [y[0]], width: [x[x.length - 1] - x[0]], height: [y[y.length - 1] - y[0]]}
  } else {
    sides = fillSides()
  }
  for (const name of ["lines", "graticule"]) {
    const ends = numbers[name] || []
    const [x, y] = [0, 1].map((side) => Float32Array.from({length: ends.length / 2}, (_, i) => ends[2 * i + side]))
    model(map, name).data_source.data = {x, y}
  }
}

function paint() {
  const {field} = shown, own = clustering(), dimmed = shown.lit !== null
  const ofCluster = new Map(own.numbers.map((number, c) => [number, rgb(own.colors[c])]))
  const ramp = about.palette.map(rgb), range = field === "label" ? null : about.fields[field]
  const cells = model(map, "cells"), isImage = raster !== undefined
  colours = new Uint32Array(n)
  visible = new Uint8Array(n)
  for (let i = 0; i < n; i++) {
    const label = labelOf(i)
    if (!label || shown.hidden.has(label)) continue
    let colour = ofCluster.get(label)
    if (range) {
      const share = (valueOf(field, i) - range.low) / (range.high - range.low || 1)
      colour = ramp[Math.max(0, Math.min(255, Math.round(255 * share) || 0))]
    }
    const alpha = dimmed && label !== shown.lit ? 60 : 255
    visible[i] = 1
    const [r, g, b] = colour
    // a pixel is red, green, blue and opacity in memory; a colour of a column the same as a number
    colours[i] = isImage ? (alpha << 24 | b << 16 | g << 8 | r) >>> 0 : (r << 24 | g << 16 | b << 8 | alpha) >>> 0
  }
  const Colours = cells.tags[0].constructor
  if (!isImage) {
    cells.data_source.data = {...sides, color: new Colours(colours, [n])}
  } else {
    const {rows, columns: across} = raster, w = across.length
    const image = new Uint32Array(rows.length * w)
    for (let r = 0; r < rows.length; r++)
      for (let c = 0, from = rows[r] * columns(); c < w; c++) image[r * w + c] = colours[from + across[c]]
    cells.data_source.data = {...sides, image: [new Colours(image, [rows.length, w])]}
  }
  showScale(range)
}

function showScale(range) {
  at("scale").hidden = range === null
  if (range === null) return
  const unit = range.units ? ` ${range.units}` : ""
  const spell = (value) => String(Number(value.toPrecision(3)))
  at("low").textContent = spell(range.low)
  at("high").textContent = (range.is_cut ? "≥ " : "") + spell(range.high) + unit
  at("ramp").style.background = `linear-gradient(to right, ${about.palette.filter((_, i) => i % 15 === 0).join(", ")})`
}

// how much longer a degree of latitude is than one of longitude, in the middle of the map
const stretch = () => about.is_earth && !about.is_polar ? 1 / Math.max(Math.cos((about.box[2] + about.box[3]) * Math.PI / 360), 0.1) : 1

// the map is as high as its shape asks for, within the window
function size() {
  const [west, east, south, north] = about.box, wide = at("map").clientWidth
  const wanted = about.is_earth ? (wide - 90) * (north - south) * stretch() / (east - west) + 40 : 0.75 * wide
  const most = Math.max(340, Math.min(0.68 * window.innerHeight, 680))
  at("map").style.height = `${Math.round(Math.max(260, Math.min(wanted, most)))}px`
}

// the same number of pixels for a kilometre east and north, whatever room the map has
let home, room = ""
function fit() {
  const w = map.inner_width, h = map.inner_height
  if (!w || !h || room === `${w} ${h}`) return
  room = `${w} ${h}`
  const [west, east, south, north] = about.box, {x_range, y_range} = map
  const set = (range, middle, long) => { range.setv({start: middle - long / 2, end: middle + long / 2}) }
  let dx = 1.03 * (east - west) || 1, dy = 1.03 * (north - south) || 1
  if (about.is_earth) {
    dx = Math.max(dx, dy * stretch() * w / h)
    dy = dx * h / w / stretch()
  }
  const x = (west + east) / 2, y = (south + north) / 2
  if (home === undefined || x_range.start === home[0] && x_range.end === home[1]) {
    set(x_range, x, dx)
    set(y_range, y, dy)
    home = [x_range.start, x_range.end]
  } else if (about.is_earth) {
    set(y_range, (y_range.start + y_range.end) / 2, (x_range.end - x_range.start) * h / w / stretch())
  }
  x_range.setv({reset_start: x - dx / 2, reset_end: x + dx / 2})
  y_range.setv({reset_start: y - dy / 2, reset_end: y + dy / 2})
}

// ---- what is said of a point

function add(parent, tag, text, className = "") {
  const element = document.createElement(tag)
  if (text !== undefined) element.textContent = text
  if (className) element.className = className
  parent.append(element)
  return element
}

function describe(element, i) {
  const also = (text) => { if (element === at("said")) element.lastChild.append(";"); element.append(" "); add(element, "span", text) }
  const own = clustering(), c = own.numbers.indexOf(labelOf(i))
  element.replaceChildren()
  const head = add(element, "b")
  add(head, "span", undefined, "swatch").style.cssText = `display:inline-block;background:${own.colors[c]}`
  head.append(own.names[c])
  also(placeOf(i))
  if (!isChosen()) return
  for (const [field, {label, units}] of Object.entries(about.fields)) {
    const value = valueOf(field, i)
    if (!Number.isNaN(value)) also(`${field === "distance" ? field : label} ${Number(value.toPrecision(3))}${units ? " " + units : ""}`)
  }
}

function hover(event) {
  const i = cellAt(event.x, event.y), tip = at("tip")
  tip.hidden = i < 0
  if (i < 0) return
  describe(tip, i)
  const wide = at("map").clientWidth, left = event.sx + 16
  tip.style.left = `${Math.max(0, left + tip.offsetWidth > wide ? event.sx - 16 - tip.offsetWidth : left)}px`
  tip.style.top = `${Math.max(0, Math.min(event.sy + 12, at("map").clientHeight - tip.offsetHeight))}px`
}

function pick(i) {
  shown.point = i
  const ring = model(map, "ring").data_source
  const said = at("said")
  if (i < 0 && shown.lit !== null) {
    ring.data = {x: [], y: []}
    said.textContent = `${clustering().names[clustering().numbers.indexOf(shown.lit)]}: its centroid, and the bands of its members.`
  } else if (i < 0) {
    ring.data = {x: [], y: []}
    said.textContent = about.has_profiles
      ? "Click a point of the map to see its profile beside the centroid of its cluster."
      : "Click a point of the map to see the centroid of its cluster. This page was made without the data, so that it shows no single profiles."
  } else {
    const [x, y] = middle(i)
    ring.data = {x: [x], y: [y]}
    describe(said, i)
    said.lastChild.append(about.has_profiles ? "" : ".")
    said.append(" ")
    if (!about.has_profiles) add(said, "span", "The page was made without the data: no profile of the point is known.", "missing")
  }
  markRows()
  drawPanels()
}

// ---- the panels

function drawPanels() {
  const own = clustering(), point = shown.point
  const number = point >= 0 ? labelOf(point) : shown.lit
  const c = own.numbers.indexOf(number)
  const at_levels = levels()
  panels.forEach((panel, v) => {
    const lines = {x: [], y: [], color: [], alpha: []}
    own.numbers.forEach((other, o) => {
      if (shown.hidden.has(other) || o === c) return
      const values = stretched(centroidOf(shown.clustering, v, o))
      lines.x.push(about.levels_across ? at_levels : values)
      lines.y.push(about.levels_across ? values : at_levels)
      lines.color.push(own.colors[o])
      lines.alpha.push(c < 0 ? 1 : 0.35)
    })
    model(panel, "centroids").data_source.data = lines
    const bands = {level: [], low: [], lower: [], median: [], upper: [], high: [], centroid: []}
    if (c >= 0) {
      const [low, lower, median, upper, high] = quantilesOf(shown.clustering, v, c).map(stretched)
      Object.assign(bands, {level: at_levels, low, lower, median, upper, high, centroid: stretched(centroidOf(shown.clustering, v, c))})
      for (const name of ["band low", "band lower"]) model(panel, name).glyph.fill_color = {value: own.colors[c]}
      model(panel, "centroid").glyph.line_color = {value: own.colors[c]}
    }
    const value = point >= 0 && about.has_profiles ? stretched(profileOf(v, point)) : []
    model(panel, "centroid").data_source.data = bands
    model(panel, "profile").data_source.data = {level: value.length ? at_levels : [], value}
    limit(panel, v, value)
  })
}

function limit(panel, v, value) {
  const all = [], which = shown.clustering
  clustering().numbers.forEach((_, c) => { for (const q of quantilesOf(which, v, c)) all.push(...q) })
  all.push(...value)
  const known = all.filter(Number.isFinite)
  let low = Infinity, high = -Infinity
  for (const x of known) { if (x < low) low = x; if (x > high) high = x }
  if (!known.length) return
  const margin = 0.04 * (high - low) || 1
  const ofValues = about.levels_across ? panel.y_range : panel.x_range
  ofValues.setv({start: low - margin, end: high + margin, reset_start: low - margin, reset_end: high + margin})
}

function limitLevels(panel) {
  const range = about.levels_across ? panel.x_range : panel.y_range
  const ends = [Math.min(...numbers.levels), Math.max(...numbers.levels)]
  if (ends[0] === ends[1]) { ends[0] -= 1; ends[1] += 1 }
  if (about.points_down) ends.reverse()
  range.setv({start: ends[0], end: ends[1], reset_start: ends[0], reset_end: ends[1]})
}

// ---- controls and table

function fillControls() {
  const field = at("field")
  const offer = (select, value, text) => { add(select, "option", text).value = value }
  offer(field, "label", "clusters")
  for (const [name, {label}] of Object.entries(about.fields)) offer(field, name, label)
  about.clusterings.forEach((each, i) => offer(at("clustering"), i, `${each.numbers.length}${i === about.chosen ? " (this result)" : ""}`))
  at("clustering").value = about.chosen
  at("of-k").hidden = about.clusterings.length < 2
  at("of-maps").hidden = about.maps.length < 2
  at("maps").max = about.maps.length - 1
  at("map-name").textContent = about.maps[0]
  field.addEventListener("change", () => { shown.field = field.value; paint() })
  at("maps").addEventListener("input", (event) => {
    shown.map = Number(event.target.value)
    at("map-name").textContent = about.maps[shown.map]
    paint()
    pick(shown.point >= 0 && visible[shown.point] ? shown.point : -1)
  })
  at("clustering").addEventListener("change", (event) => {
    shown.clustering = Number(event.target.value)
    shown.hidden.clear()
    shown.lit = null
    // margins and the like are those of the result
    for (const option of field.options) option.disabled = option.value !== "label" && !isChosen()
    if (!isChosen()) shown.field = field.value = "label"
    fillTable()
    paint()
    pick(shown.point)
  })
  at("all").addEventListener("click", () => show(clustering().numbers, true))
  at("none").addEventListener("click", () => show(clustering().numbers, false))
}

function show(clusters, on) {
  for (const number of clusters) on ? shown.hidden.delete(number) : shown.hidden.add(number)
  for (const box of at("table").querySelectorAll("input")) box.checked = !shown.hidden.has(Number(box.dataset.cluster))
  paint()
  pick(shown.point >= 0 && visible[shown.point] ? shown.point : -1)
}

function light(number) {
  shown.lit = shown.lit === number ? null : number
  paint()
  pick(-1)
}

function fillTable() {
  const own = clustering(), table = at("table")
  table.replaceChildren()
  const head = add(add(table, "thead"), "tr")
  for (const text of ["cluster", ...own.heads]) add(head, "th", text).scope = "col"
  const body = add(table, "tbody")
  own.numbers.forEach((number, c) => {
    const row = add(body, "tr"), head = add(row, "th"), name = add(head, "div")
    row.dataset.cluster = number
    head.scope = "row"
    const box = add(name, "input")
    Object.assign(box, {type: "checkbox", checked: true})
    box.dataset.cluster = number
    box.setAttribute("aria-label", `Show ${own.names[c]}`)
    box.addEventListener("change", () => show([number], box.checked))
    add(name, "span", undefined, "swatch").style.background = own.colors[c]
    const button = add(name, "button", own.names[c])
    button.type = "button"
    button.title = "Highlight this cluster"
    button.addEventListener("click", () => light(number))
    for (const text of own.rows[c]) add(row, "td", text)
  })
}

function markRows() {
  const number = shown.point >= 0 ? labelOf(shown.point) : null
  for (const row of at("table").tBodies[0].rows) {
    const own = Number(row.dataset.cluster)
    row.classList.toggle("of-point", own === number)
    row.classList.toggle("lit", own === shown.lit)
    row.querySelector("button").setAttribute("aria-pressed", own === shown.lit)
  }
}

function fillKey() {
  const key = [["centroid", "border-top:4px solid #888"], ["median", "border-top:2px dashed #333"],
    ["25 % to 75 % of the cluster", "height:12px;background:#8888"], ["5 % to 95 %", "height:12px;background:#8884"]]
  if (about.has_profiles) key.unshift(["this point", "border-top:3px solid #000"])
  for (const [text, style] of key) {
    const entry = add(at("key"), "span")
    add(entry, "i").style.cssText = style
    entry.append(text)
  }
}

// ---- keys

function step(key) {
  const [dx, dy] = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[key]
  const {x_range, y_range} = map
  const [x, y] = shown.point >= 0 ? middle(shown.point) : [(x_range.start + x_range.end) / 2, (y_range.start + y_range.end) / 2]
  if (shown.point < 0) return pick(closest(x, y))
  let best = -1, least = Infinity
  for (let i = 0; i < n; i++) {
    if (!visible[i]) continue
    const [ox, oy] = middle(i), along = (ox - x) * dx + (oy - y) * dy, across = (ox - x) * dy + (oy - y) * dx
    const apart = along + 2 * Math.abs(across)
    if (along > 0 && Math.abs(across) <= along && apart < least) { least = apart; best = i }
  }
  if (best >= 0) pick(best)
}

function closest(x, y) {
  let best = -1, least = Infinity
  for (let i = 0; i < n; i++) {
    const [ox, oy] = middle(i), apart = (ox - x) ** 2 + (oy - y) ** 2
    if (visible[i] && apart < least) { least = apart; best = i }
  }
  return best
}

function bringIntoView(i) {
  const [x, y] = middle(i), {x_range, y_range} = map
  for (const [range, value] of [[x_range, x], [y_range, y]]) {
    if (value > range.start && value < range.end) continue
    const by = value - (range.start + range.end) / 2
    range.setv({start: range.start + by, end: range.end + by})
  }
}

// ---- the beginning

async function embed(item, target) {
  await Bokeh.embed.embed_item(item, target)
  return Bokeh.documents[Bokeh.documents.length - 1].roots()[0]
}

async function begin() {
  numbers = await unpack()
  n = about.kind === "grid" ? numbers.x.length * numbers.y.length : numbers.x.length
  const [first, ...others] = JSON.parse(at("figures").textContent)
  size()
  map = await embed(first, at("map"))
  panels = []
  for (const [v, item] of others.entries()) {
    const panel = add(at("panels"), "div", undefined, "panel")
    add(panel, "h2", about.variables[v])
    panels.push(await embed(item, add(panel, "div", undefined, "plot")))
  }
  panels.forEach(limitLevels)
  prepareMap()
  fillControls()
  fillTable()
  fillKey()
  paint()
  pick(-1)
  for (let frame = 0; frame < 3; frame++) {
    await new Promise((next) => setTimeout(next, 20))
    fit()
  }
  window.addEventListener("resize", size)
  setInterval(fit, 100)  // bokeh does not tell when the room of a map has changed
  map.on_event("mousemove", hover)
  map.on_event("mouseleave", () => { at("tip").hidden = true })
  for (const tap of ["tap", "doubletap"]) map.on_event(tap, (event) => pick(cellAt(event.x, event.y)))
  at("map").addEventListener("keydown", (event) => {
    if (event.key === "Escape") pick(-1)
    if (!event.key.startsWith("Arrow")) return
    event.preventDefault()
    step(event.key)
    if (shown.point >= 0) bringIntoView(shown.point)
  })
  const frame = window.frameElement  // of a notebook
  if (frame) new ResizeObserver(() => { frame.style.height = `${document.body.offsetHeight}px` }).observe(document.body)
  document.body.dataset.ready = "yes"
}

begin().catch((error) => {
  at("said").textContent = `The page cannot be shown: ${error.message}`
  throw error
})
