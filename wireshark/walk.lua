-- Rows to fields: for each message of the tables the fields that Wireshark shows, and one function that walks them. It
-- follows the rules of src/wire/codec.c, checks every bound itself, and leaves no byte without a field.

local band = bit32.band
local bxor = bit32.bxor
local rshift = bit32.rshift
local lshift = bit32.lshift

local W = { fields = {}, of = {}, rows = {} }

-- Names of numbers, by the name of the field that holds them.
local names_of = {
  data_type = T.data_types,
  block = T.blocks,
  position = T.positions,
  purpose = T.purposes,
  role = T.roles,
  suite = T.suites,
  tag_mode = T.tag_modes,
  top = T.variants,
  middle = T.variants,
  bottom = T.variants,
  kind = T.agreement_kinds,
  reason = T.agreement_reasons,
  code = T.codes,
  ["spdm_algorithm_table.type"] = { [2] = "DHE", [3] = "AEAD", [4] = "requester's signature", [5] = "key schedule",
                                    [6] = "requester's signature, PQC", [7] = "KEM" },
}

-- Numbers that people read in hexadecimal.
local in_hex = {
  flags = true, base_asym = true, base_hash = true, pqc_asym = true, measurement_hash = true, algorithms = true,
  session_id = true, other_params = true, code = true, data_type = true, crc32 = true, layout = true,
  ["spdm_header.version"] = true, measurement_specification = true, mel_specification = true,
}

-- Masks whose bits have names: the kind of algorithm, by message and field.
local bits_of = {
  ["spdm_get_capabilities.flags"] = T.capabilities,
  ["spdm_capabilities.flags"] = T.capabilities,
}
for _, message in ipairs { "spdm_negotiate_algorithms", "spdm_algorithms" } do
  bits_of[message .. ".base_asym"] = T.algorithms.asym
  bits_of[message .. ".base_hash"] = T.algorithms.hash
  bits_of[message .. ".pqc_asym"] = T.algorithms.pqc_asym
  bits_of[message .. ".measurement_hash"] = T.algorithms.measurement_hash
end

local function readable(name)
  return (name:gsub("_", " "))
end

-- Makes a field and keeps it for the protocol that registers them all.
local function field(kind, abbreviation, ...)
  local f = ProtoField[kind]("trueline." .. abbreviation, ...)
  W.fields[#W.fields + 1] = f
  return f
end
W.field = field

local function number_field(path, name, bytes, mask)
  local names = names_of[path] or names_of[name]
  local hex = in_hex[path] or in_hex[name]
  local show = hex and base.HEX or base.DEC
  if bytes == 8 then
    return field("uint64", path, readable(name), show)
  end
  return field("uint" .. 8 * bytes, path, readable(name), show, names, mask)
end

local function bit_fields(path, bytes, bits)
  local made = {}
  for i, b in ipairs(bits) do
    if b.bit < 2 ^ (8 * bytes) then
      made[#made + 1] = field("bool", path .. "." .. b.name, b.name, 8 * bytes, nil, b.bit)
    end
  end
  return made
end
W.bit_fields = bit_fields

local function field_of_row(message, row, box)
  local path = message .. "." .. (row.name or "")
  if row.kind == "int" then
    row.field = number_field(path, row.name, row.n)
    row.bits = bits_of[path] and bit_fields(path, row.n, bits_of[path])
  elseif row.kind == "bit" then
    row.mask = (2 ^ row.width - 1) * 2 ^ row.shift
    row.field = number_field(path, row.name, box.n, row.mask)
    box.named = box.named + row.mask
  elseif row.kind == "opt" then
    row.sizes = {}
    for n = 1, 4 do
      row.sizes[n] = number_field(path, row.name, n)
    end
  elseif row.kind == "rsv" then
    row.field = field("bytes", path, "reserved")
  elseif row.kind == "box" then
    row.named = 0
  else
    row.field = field("bytes", path, readable(row.name))
    if row.kind == "lv" then
      row.length = field("uint" .. 8 * row.n, path .. "_length", readable(row.name) .. " length")
    end
  end
  W.of[path] = row.field or row.sizes
end

for _, message in ipairs(T.messages) do
  local box
  for _, row in ipairs(message) do
    box = row.kind == "box" and row or box
    field_of_row(message.name, row, box)
  end
  W.rows[message.name] = message
end

-- What is left over: of a message that ends too early, of a list, of what nobody knows.
W.rest = field("bytes", "rest", "bytes")
W.element = field("none", "element", "element")

W.short = ProtoExpert.new("trueline.short", "the bytes end before their layout does", expert.group.MALFORMED,
                          expert.severity.ERROR)
W.trailing = ProtoExpert.new("trueline.trailing", "bytes go on after the layout's end", expert.group.MALFORMED,
                             expert.severity.ERROR)
W.value = ProtoExpert.new("trueline.value", "a value that the layout does not allow", expert.group.MALFORMED,
                          expert.severity.ERROR)
W.reserved = ProtoExpert.new("trueline.reserved", "reserved bytes are not zero", expert.group.PROTOCOL,
                             expert.severity.NOTE)
W.unknown = ProtoExpert.new("trueline.unknown", "not known", expert.group.UNDECODED, expert.severity.NOTE)
W.experts = { W.short, W.trailing, W.value, W.reserved, W.unknown }

-- Bytes that are there: from offset `at`, before `stop`.
local function add_rest(tree, tvb, at, stop)
  if at < stop then
    return tree:add(W.rest, tvb(at, stop - at))
  end
end
W.add_rest = add_rest

-- What begins at `at` does not fit before `stop`: told, and its bytes shown.
function W.cut(tree, tvb, at, stop)
  tree:add_proto_expert_info(W.short)
  add_rest(tree, tvb, at, stop)
end

local function is_zero(range)
  return not range:bytes():tohex():find("[^0]")
end
W.is_zero = is_zero

local function add_number(tree, f, range, big)
  return big and tree:add(f, range) or tree:add_le(f, range)
end

local function number_in(range, n, big)
  if n == 8 then
    return (big and range:uint64() or range:le_uint64()):tonumber()
  end
  return big and range:uint() or range:le_uint()
end

-- Bytes of a span, or nil if they are not there, or their length is not. Second: bytes of the length before them.
local function span_size(row, env, values, tvb, at, stop)
  local kind = row.kind
  if kind == "raw" then
    return row.n, 0
  elseif kind == "sized" then
    return env[row.class], 0
  elseif kind == "by" then
    return values[row.by], 0
  elseif kind == "body" then
    return stop - at - (env[row.class] or 0) - row.extra, 0
  elseif kind == "lv" then
    return at + row.n <= stop and tvb(at, row.n):le_uint(), row.n
  end
  return stop - at, 0
end

-- One span: its length, its bytes, and what they hold inside. Returns where it ends, or nil.
local function walk_span(w, row, at)
  local n, head = span_size(row, w.env, w.values, w.tvb, at, w.stop)
  if not n or n < 0 or at + head > w.stop then
    return nil
  end
  if head > 0 then
    w.tree:add_le(row.length, w.tvb(at, head))
    at = at + head
  end
  if at + n > w.stop then
    return nil
  end
  w.values[row.name] = { at = at, n = n }
  if n > 0 then
    local item = w.tree:add(row.field, w.tvb(at, n))
    local inside = w.inside and w.inside[w.message .. "." .. row.name]
    if inside then
      inside(item, w.tvb, at, at + n, w)
    end
  end
  return at + n
end

local function walk_number(w, row, at)
  local n = row.kind == "opt" and (w.env[row.class] or 0) or row.n
  if n == 0 then
    w.values[row.name] = 0
    return at
  end
  if at + n > w.stop then
    return nil
  end
  local range = w.tvb(at, n)
  local item = add_number(w.tree, row.field or row.sizes[n], range, row.big)
  w.values[row.name] = number_in(range, n, row.big)
  w.items[row.name] = item
  for _, f in ipairs(row.bits or {}) do
    item:add_le(f, range)
  end
  return at + n
end

local function walk_box(w, row, at)
  if at + row.n > w.stop then
    return nil
  end
  w.box = w.tvb(at, row.n)
  w.bits = w.box:le_uint()
  if band(w.bits, row.named) ~= w.bits then
    w.tree:add_proto_expert_info(W.value, "bits that no field names are not zero")
    w.odd = true
  end
  return at + row.n
end

local function walk_bit(w, row, at)
  w.values[row.name] = w.box and rshift(band(w.bits, row.mask), row.shift) or 0
  w.items[row.name] = w.box and w.tree:add_le(row.field, w.box)
  return at
end

local function walk_reserved(w, row, at)
  if at + row.n > w.stop then
    return nil
  end
  local item = w.tree:add(row.field, w.tvb(at, row.n))
  if not is_zero(w.tvb(at, row.n)) then
    item:add_proto_expert_info(W.reserved)
  end
  return at + row.n
end

local walk_kind = { int = walk_number, opt = walk_number, box = walk_box, bit = walk_bit, rsv = walk_reserved }

-- Walks the rows of a message over the bytes from `at` on, before `stop`. env: version and negotiated sizes; inside:
-- what spans hold, functions by "message.field". Returns where the message ends and its values; nil if it is cut or wrong:
-- the bytes are shown and the reason is told.
function W.walk(message, env, tree, tvb, at, stop, inside)
  local w = { message = message, env = env, tree = tree, tvb = tvb, stop = stop, values = {}, items = {}, inside = inside }
  for _, row in ipairs(W.rows[message]) do
    if row.since <= (env.version or 0) then
      if row.kind == "sized" and env[row.class] == nil then
        tree:add_proto_expert_info(W.unknown, "sizes that were negotiated before this recording began")
        add_rest(tree, tvb, at, stop)
        return nil, w.values
      end
      local after = (walk_kind[row.kind] or walk_span)(w, row, at)
      if not after then
        W.cut(tree, tvb, at, stop)
        return nil, w.values
      end
      at = after
    elseif row.kind == "box" then
      w.box = nil
    elseif row.name then
      w.values[row.name] = 0
    end
  end
  if w.odd then
    add_rest(tree, tvb, at, stop)
    return nil, w.values
  end
  return at, w.values, w.items
end

-- A message that must end where its bytes do, in a tree of its own.
function W.whole(message, env, tree, tvb, at, stop, inside)
  local after, values, items = W.walk(message, env, tree, tvb, at, stop, inside)
  if after and after < stop then
    add_rest(tree, tvb, after, stop):add_proto_expert_info(W.trailing)
  end
  return after == stop, values, items
end

-- A list of messages to the end of the bytes, each a branch. `behind`, if given, reads what follows each one, and returns
-- where that ends.
function W.each(message, env, tree, tvb, at, stop, inside, behind)
  local i = 0
  while at < stop do
    local branch = tree:add(W.element, tvb(at, stop - at)):set_text(readable(message) .. " " .. i)
    local after, values = W.walk(message, env, branch, tvb, at, stop, inside)
    if not after or after == at then
      return
    end
    if behind then
      after = behind(branch, values, after, stop)
    end
    branch:set_len(after - at)
    at, i = after, i + 1
  end
end

-- The function for `inside` of a field that is a list of messages.
function W.list(message)
  return function(item, tvb, at, stop, w)
    W.each(message, w.env, item, tvb, at, stop, w.inside)
  end
end

-- The numbers of a message that has numbers alone, without showing it; nil if it does not fit.
function W.quiet(message, tvb, at, stop)
  local values, box = {}, 0
  for _, row in ipairs(W.rows[message]) do
    if row.kind == "bit" then
      values[row.name] = rshift(band(box, row.mask), row.shift)
    elseif at + row.n > stop then
      return nil
    else
      if row.kind == "box" then
        box = tvb(at, row.n):le_uint()
      elseif row.kind == "int" then
        values[row.name] = number_in(tvb(at, row.n), row.n, row.big)
      end
      at = at + row.n
    end
  end
  return values
end
