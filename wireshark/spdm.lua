-- SPDM (DSP0274) with the bindings that carry it. What a message's layout depends on is learnt from the messages before it,
-- as tools/dump_message.c does, and kept for each message, since Wireshark asks for packets in any order.

local S = {}

local HEADER = 4
local VERSION_1_3 = 0x13

local C = {}
for code, name in pairs(T.codes) do
  C[name] = code
end

local capability = {}
for _, c in ipairs(T.capabilities) do
  capability[c.name] = c.bit
end

local f_padding = W.field("bytes", "padding", "padding")
local f_digest = W.field("bytes", "spdm.digest", "digest")
local f_key_info = W.field("bytes", "spdm.key_info", "key information")
local f_error = W.field("uint8", "spdm.error", "error", base.HEX, T.spdm_errors)
local f_extended = W.field("bytes", "spdm.extended_algorithms", "extended algorithms")
local f_certificate = W.field("bytes", "spdm.certificate", "certificate, DER")
local f_request = W.field("framenum", "spdm.request_in", "answers", base.NONE, frametype.RESPONSE)
local f_raw = W.field("bytes", "spdm.body", "body")
local f_bits = {} -- of the algorithm tables, by type
for type, kind in pairs { [2] = "dhe", [3] = "aead", [4] = "asym", [5] = "key_schedule", [6] = "pqc_asym", [7] = "kem" } do
  f_bits[type] = W.bit_fields("spdm_algorithm_table." .. kind .. type, 2, T.algorithms[kind])
end

-- ---- what is negotiated ----

local connections, kept

function S.init()
  connections, kept = {}, {}
end

local function copy(t)
  local c = {}
  for k, v in pairs(t) do
    c[k] = v
  end
  return c
end

local function fresh()
  return { env = {}, chosen = {}, requester_flags = 0, responder_flags = 0, requester_signature = 0 }
end

local function both(c, name)
  return band(band(c.requester_flags, c.responder_flags), capability[name]) ~= 0
end

local function algorithm(kind, mask)
  for _, a in ipairs(T.algorithms[kind]) do
    if a.bit == mask then
      return a
    end
  end
  return { size = 0, response = 0, name = mask == 0 and "none" or "unknown" }
end

local function signature_size(asym, pqc)
  return asym ~= 0 and algorithm("asym", asym).size or algorithm("pqc_asym", pqc).size
end

-- Does the responder have several keys? DIGESTS tells more then.
local function multi_key(c)
  if (c.version or 0) < VERSION_1_3 then
    return false
  end
  return band(c.responder_flags, capability.MULTI_KEY_ONLY) ~= 0 or
         (band(c.responder_flags, capability.MULTI_KEY_NEG) ~= 0 and band(c.offered_params or 0, 0x10) ~= 0)
end

local function learn_algorithms(c, m)
  local chosen = {}
  chosen.asym, chosen.hash = m.values.base_asym, m.values.base_hash
  chosen.measurement_hash = m.values.measurement_hash
  chosen.pqc_asym = m.version >= 0x14 and m.values.pqc_asym or 0
  for type, mask in pairs(m.tables) do
    chosen[type] = mask
  end
  c.chosen, c.other_params = chosen, m.values.other_params
  local kex = algorithm("dhe", chosen[2] or 0)
  local request, response = kex.size, kex.size
  if (chosen[2] or 0) == 0 and chosen[7] then
    local kem = algorithm("kem", chosen[7])
    request, response = kem.size, kem.response
  end
  c.requester_signature = signature_size(chosen[4] or 0, chosen[6] or 0)
  local hash = algorithm("hash", chosen.hash).size
  c.env = { HASH = hash, SIG = signature_size(chosen.asym, chosen.pqc_asym), KEX = request, KEXR = response }
  c.negotiated = true
end

-- What is known after this message. The old state stays as it is: packets refer to it.
local function learn(c, m)
  if m.code == C.GET_VERSION then
    c = fresh()
  else
    c = copy(c)
  end
  if m.code >= 0x80 and m.code ~= C.RESPOND_IF_READY then
    c.asked = { code = m.code, param1 = m.param1, param2 = m.param2, frame = m.frame }
  end
  c.inner_asked = m.inner_asked or c.inner_asked
  if m.code == C.GET_CAPABILITIES then
    c.requester_flags = m.values.flags
  elseif m.code == C.CAPABILITIES then
    c.responder_flags, c.version = m.values.flags, m.version
  elseif m.code == C.NEGOTIATE_ALGORITHMS then
    c.offered_params = m.values.other_params
  elseif m.code == C.ALGORITHMS then
    learn_algorithms(c, m)
  end
  return c
end

-- Sizes in this message: what was negotiated, changed by what was asked for.
local function env_of(c, m)
  local env = copy(c.env)
  local asked = c.asked or { param1 = 0, param2 = 0 }
  local clear = both(c, "HANDSHAKE_IN_CLEAR")
  local wants_signature = band(m.param1, 1) ~= 0
  local none = function(present, size)
    if present then
      return size
    end
    return 0
  end
  env.version = m.version
  if m.code == C.CHALLENGE_AUTH then
    env.MSH = none(asked.param2 ~= 0, env.HASH)
  elseif m.code == C.GET_MEASUREMENTS then
    env.NONCE = none(wants_signature, 32)
    env.SLOT = none(wants_signature, 1)
  elseif m.code == C.MEASUREMENTS then
    env.SIG = none(band(asked.param1, 1) ~= 0, env.SIG)
  elseif m.code == C.KEY_EXCHANGE_RSP then
    env.MSH = none(asked.param1 ~= 0, env.HASH)
    env.HMAC = none(not clear, env.HASH)
  elseif m.code == C.FINISH then
    env.SIG = none(wants_signature, c.negotiated and c.requester_signature)
    env.HMAC = env.HASH
  elseif m.code == C.FINISH_RSP then
    env.HMAC = none(clear, env.HASH)
  end
  return env
end

local function ones(mask)
  local n = 0
  while mask > 0 do
    n, mask = n + mask % 2, math.floor(mask / 2)
  end
  return n
end

-- How long a message says that it is, where its last row takes all that is left; nil: it does not say.
local function told_size(c, m, values)
  if m.code == C.VERSION then
    return HEADER + 2 + 2 * values.count
  elseif m.code == C.NEGOTIATE_ALGORITHMS or m.code == C.ALGORITHMS then
    return values.length
  elseif m.code == C.DIGESTS and c.env.HASH then
    return HEADER + (c.env.HASH + (multi_key(c) and 4 or 0)) * ones(m.param2)
  end
end

-- ---- what fields hold inside ----

local inside = {}

inside["spdm_version.entries"] = W.list("spdm_version_entry")
inside["spdm_secured_supported_versions.versions"] = W.list("spdm_version_entry")

local function tables_inside(item, tvb, at, stop, w)
  local extended = 4 * (w.values.ext_asym_count + w.values.ext_hash_count)
  w.env.tables = {}
  if extended > 0 and at + extended <= stop then
    item:add(f_extended, tvb(at, extended))
    at = at + extended
  end
  W.each("spdm_algorithm_table", w.env, item, tvb, at, stop, nil, function(branch, values, after)
    w.env.tables[values.type] = values.algorithms
    for _, f in ipairs(f_bits[values.type] or {}) do
      branch:add_le(f, tvb(after - 2, 2))
    end
    local more = 4 * values.ext_count
    if more > 0 and after + more <= stop then
      branch:add(f_extended, tvb(after, more))
      after = after + more
    end
    return after
  end)
end
inside["spdm_negotiate_algorithms.tables"] = tables_inside
inside["spdm_algorithms.tables"] = tables_inside

inside["spdm_digests.digests"] = function(item, tvb, at, stop, w)
  local n = w.env.HASH or 0
  for _ = 1, ones(w.env.slots) do
    if n > 0 and at + n <= stop then
      item:add(f_digest, tvb(at, n))
      at = at + n
    end
  end
  if at < stop then
    item:add(f_key_info, tvb(at, stop - at))
  end
end

inside["spdm_measurements.record"] = W.list("spdm_measurement_block")
inside["spdm_measurement_block.measurement"] = function(item, tvb, at, stop, w)
  if w.values.specification == 1 then
    W.whole("spdm_dmtf_measurement", w.env, item, tvb, at, stop)
  end
end

-- Elements of DSP0277: versions of secured messages.
inside["spdm_opaque_element.data"] = function(item, tvb, at, stop, w)
  if w.values.standard ~= 0 or w.values.vendor_id.n ~= 0 or stop - at < 2 or tvb(at, 1):uint() ~= 1 then
    return
  end
  local element = tvb(at + 1, 1):uint()
  if element == 1 then
    W.whole("spdm_secured_supported_versions", w.env, item, tvb, at, stop, inside)
  elseif element == 0 then
    W.whole("spdm_secured_selected_version", w.env, item, tvb, at, stop, inside)
  end
end

inside["spdm_opaque.elements"] = function(item, tvb, at, stop, w)
  W.each("spdm_opaque_element", w.env, item, tvb, at, stop, inside, function(branch, _, after)
    local pad = math.min((at - after) % 4, stop - after)
    if pad > 0 then
      branch:add(f_padding, tvb(after, pad))
    end
    return after + pad
  end)
end

local function opaque_inside(item, tvb, at, stop, w)
  if w.env.general_opaque then
    W.whole("spdm_opaque", w.env, item, tvb, at, stop, inside)
  end
end
for _, m in ipairs(T.messages) do
  inside[m.name .. ".opaque"] = opaque_inside
end

inside["spdm_error.extended"] = function(item, tvb, at, stop, w)
  if stop - at == 4 then
    W.whole("spdm_not_ready", w.env, item, tvb, at, stop)
  end
end

-- Where the DER element ends that begins here; nil if it is none, or goes on behind `stop`.
local function der_end(tvb, at, stop)
  if stop - at < 2 or tvb(at, 1):uint() ~= 0x30 then
    return nil
  end
  local n, head = tvb(at + 1, 1):uint(), 2
  if n > 0x80 and n <= 0x83 then
    head = 2 + n - 0x80
    if at + head > stop then
      return nil
    end
    n = tvb(at + 2, head - 2):uint()
  elseif n >= 0x80 then
    return nil
  end
  return at + head + n <= stop and at + head + n or nil
end

local function certificates_inside(item, tvb, at, stop)
  local after = der_end(tvb, at, stop)
  while after do
    item:add(f_certificate, tvb(at, after - at)):append_text(string.format(" (%d bytes)", after - at))
    at = after
    after = der_end(tvb, at, stop)
  end
  W.add_rest(item, tvb, at, stop)
end
inside["spdm_certificate_chain.certificates"] = certificates_inside
inside["agreement_chain.certificates"] = certificates_inside

-- A portion that is the whole chain is taken apart.
inside["spdm_certificate.portion"] = function(item, tvb, at, stop, w)
  item:append_text(string.format(" (%d bytes)", stop - at))
  if w.values.remainder_length == 0 and w.env.HASH and stop - at >= 4 and tvb(at, 2):le_uint() == stop - at then
    W.whole("spdm_certificate_chain", w.env, item, tvb, at, stop, inside)
  end
end

-- A stream agreement of ours.
inside["spdm_vendor_defined.payload"] = function(item, tvb, at, stop, w)
  local id = w.values.vendor_id
  if w.values.standard ~= T.vendor_standard or tvb:bytes(id.at, id.n):tohex(true) ~= T.vendor_id then
    return
  end
  local _, values = W.whole("agreement", { version = 0 }, item, tvb, at, stop, inside)
  w.env.agreement = T.agreement_kinds[values.kind]
end
inside["agreement.body"] = function(item, tvb, at, stop, w)
  local rows = T.agreement_rows[w.values.kind]
  if rows then
    W.whole(rows, { version = 0 }, item, tvb, at, stop, inside)
  end
end

-- ---- a message ----

-- Behind a message stands nothing, or what pads it.
local function add_behind(tree, tvb, at, stop, pad_max)
  if at == stop then
    return true
  end
  if stop - at <= pad_max and W.is_zero(tvb(at, stop - at)) then
    tree:add(f_padding, tvb(at, stop - at))
    return true
  end
  W.add_rest(tree, tvb, at, stop):add_proto_expert_info(W.trailing)
  return false
end

local f_ack = W.field("bytes", "spdm.request_id", "request id and reserved")

-- A message of the other role inside of one: the responder asks, and the requester signs.
local function inner(c, m, tree, tvb, at, stop)
  if at == stop then
    return true
  end
  local after, header = W.walk("spdm_header", { version = 0x10 }, tree, tvb, at, stop)
  if not after then
    return false
  end
  header.pad_max = m.pad_max
  header.text = T.codes[header.code] or string.format("code 0x%02x", header.code)
  m.agreement = header.text
  if header.code >= 0x80 then
    m.inner_asked = header
  end
  local own = copy(c)
  own.asked, own.env = c.inner_asked, copy(c.env)
  own.env.SIG = c.negotiated and c.requester_signature
  return S.read_body(own, header, tree, tvb, at, stop)
end

local encapsulated = {
  [C.ENCAPSULATED_REQUEST] = inner,
  [C.DELIVER_ENCAPSULATED_RESPONSE] = inner,
  [C.ENCAPSULATED_RESPONSE_ACK] = function(c, m, tree, tvb, at, stop)
    if m.version >= 0x12 and at + 4 <= stop then
      tree:add(f_ack, tvb(at, 4))
      at = at + 4
    end
    if m.param2 == 1 then
      return inner(c, m, tree, tvb, at, stop)
    end
    W.add_rest(tree, tvb, at, stop)
    return true
  end,
}

local function read_body(c, m, tree, tvb, at, stop)
  local rows = T.rows_of_code[m.code]
  local body, env = at + HEADER, env_of(c, m)
  if not rows then
    if T.bare_codes[m.code] then
      return add_behind(tree, tvb, body, stop, m.pad_max)
    end
    if encapsulated[m.code] then
      return encapsulated[m.code](c, m, tree, tvb, body, stop)
    elseif body < stop then
      tree:add(f_raw, tvb(body, stop - body)):add_proto_expert_info(W.unknown, "a message that has no rows")
    end
    return T.codes[m.code] ~= nil
  end
  env.slots = m.param2
  env.general_opaque = band(c.other_params or 0, 0x0F) == 2
  -- The size is in the message's first bytes: read them without showing anything.
  local last, told = stop, S.peek(c, m, tvb, body, stop)
  if told and (told < HEADER or at + told > stop) then
    tree:add_proto_expert_info(told < HEADER and W.value or W.short, "the message says that it is longer or shorter")
  elseif told then
    last = at + told
  end
  local after, values = W.walk(rows, env, tree, tvb, body, last, inside)
  m.values, m.tables, m.agreement = values, env.tables or {}, env.agreement
  if not after then
    W.add_rest(tree, tvb, last, stop)
    return false
  end
  return add_behind(tree, tvb, after, stop, m.pad_max) and last == (told and at + told or last)
end

S.read_body = read_body

-- The integers in front of the first span of a message.
function S.peek(c, m, tvb, at, stop)
  local values = { count = 0, length = 0 }
  for _, row in ipairs(W.rows[T.rows_of_code[m.code]]) do
    if (row.kind ~= "int" and row.kind ~= "rsv") or at + row.n > stop then
      break
    end
    if row.kind == "int" then
      values[row.name] = tvb(at, row.n):le_uint()
    end
    at = at + row.n
  end
  return told_size(c, m, values)
end

local function describe(c, m)
  local text = T.codes[m.code] or string.format("code 0x%02x", m.code)
  local v = m.values or {}
  if m.code == C.ERROR then
    text = text .. " " .. (T.spdm_errors[m.param1] or string.format("0x%02x", m.param1))
  elseif m.code == C.ALGORITHMS and m.right then
    local chosen = learn(c, m).chosen
    text = string.format("%s %s %s %s %s", text, algorithm("hash", chosen.hash).name, algorithm("asym", chosen.asym).name,
                         algorithm("dhe", chosen[2] or 0).name, algorithm("aead", chosen[3] or 0).name)
  elseif m.code == C.GET_CERTIFICATE and m.right then
    text = string.format("%s slot %d offset %d", text, m.param1 % 16, v.offset)
  elseif m.agreement then
    text = text .. ": " .. m.agreement
  end
  return text
end

-- One SPDM message. key: the connection; place: of the message in its packet. Returns the text for the info column.
function S.message(tvb, at, stop, pinfo, tree, key, pad_max)
  local place = pinfo.number .. ":" .. tvb:offset() + at .. ":" .. key
  local c = kept[place] or connections[key] or fresh()
  local branch = tree:add(W.spdm, tvb(at, stop - at), "SPDM")
  local after, header, items = W.walk("spdm_header", { version = 0x10 }, branch, tvb, at, stop)
  if not after then
    return "SPDM, cut"
  end
  local m = { code = header.code, param1 = header.param1, param2 = header.param2, version = header.version,
              frame = pinfo.number, pad_max = pad_max }
  items.version:append_text(string.format(" (SPDM %d.%d)", math.floor(m.version / 16), m.version % 16))
  if m.code == C.ERROR then
    branch:add(f_error, tvb(at + 2, 1))
  end
  if not T.codes[m.code] then
    branch:add_proto_expert_info(W.unknown, "a code that SPDM does not have")
  end
  m.right = read_body(c, m, branch, tvb, at, stop)
  if m.code < 0x80 and c.asked and c.asked.frame then
    branch:add(f_request, c.asked.frame):set_generated()
  end
  m.text = describe(c, m)
  branch:append_text(string.format(" %d.%d %s", math.floor(m.version / 16), m.version % 16, m.text))
  if not kept[place] then
    kept[place] = c
    if m.right then
      connections[key] = learn(c, m)
    end
  end
  return m.text
end

-- ---- records (DSP0277) ----

local f_session = W.field("uint32", "record.session_id", "session id", base.HEX)
local f_sequence = W.field("uint16", "record.sequence", "sequence number, low bits")
local f_length = W.field("uint16", "record.length", "length")
local f_application = W.field("uint16", "record.application_length", "application data length")
local f_sealed = W.field("bytes", "record.ciphertext", "ciphertext")
local f_pad = W.field("bytes", "record.pad", "pad")
local f_tag = W.field("bytes", "record.tag", "tag")
local f_data = W.field("bytes", "record.application_data", "application data")
local f_opened = W.field("bool", "record.opened", "opened with its keys")

-- What a record holds when it has been opened. `carrier` takes the message's own head off.
local function opened(tvb, at, stop, pinfo, tree, key, carrier)
  local n = at + 2 <= stop and tvb(at, 2):le_uint()
  if not n or at + 2 + n > stop then
    W.cut(tree, tvb, at, stop)
    return "record, cut"
  end
  tree:add_le(f_application, tvb(at, 2))
  local text = n > 0 and carrier.inside(tvb, at + 2, at + 2 + n, pinfo, tree, key) or "application data"
  if n > 0 and text == "application data" then
    tree:add(f_data, tvb(at + 2, n))
  end
  if at + 2 + n < stop then
    tree:add(f_pad, tvb(at + 2 + n, stop - at - 2 - n))
  end
  return text
end

function S.record(tvb, at, stop, pinfo, tree, key, carrier, is_opened)
  local head = 4 + carrier.sequence + 2
  local branch = tree:add(W.record, tvb(at, stop - at), "Secured message (DSP0277)")
  if at + head > stop then
    W.cut(branch, tvb, at, stop)
    return "record, cut"
  end
  local session, n = tvb(at, 4):le_uint(), tvb(at + head - 2, 2):le_uint()
  local text = string.format("session %08x", session)
  branch:add_le(f_session, tvb(at, 4))
  if carrier.sequence > 0 then
    branch:add_le(f_sequence, tvb(at + 4, carrier.sequence))
  end
  branch:add_le(f_length, tvb(at + head - 2, 2))
  branch:add(f_opened, is_opened):set_generated()
  local body, last = at + head, at + head + n
  if last > stop or n < T.record_tag + 2 then
    W.cut(branch, tvb, body, stop)
    return text .. " record, cut"
  end
  local tag = last - T.record_tag
  if is_opened then
    text = text .. " " .. opened(tvb, body, tag, pinfo, branch, key, carrier)
  else
    branch:add(f_sealed, tvb(body, tag - body))
    text = text .. string.format(" record of %d bytes", n)
  end
  branch:add(f_tag, tvb(tag, T.record_tag))
  add_behind(branch, tvb, last, stop, carrier.pad)
  return text
end
