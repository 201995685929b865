-- CSI-2 packets and what Trueline puts into them: service header and footer, begin and end of a frame, metadata packets,
-- announcements and outlines. ECC, CRC-16 and CRC-32 are computed here; tags need keys, and are for `trueline verify`.

local P = {}

local checks = { right = "right", corrected = "one bit corrected", wrong = "WRONG" }

local f_channel = W.field("uint8", "csi2.virtual_channel", "virtual channel", base.DEC, nil, 0xC0)
local f_type = W.field("uint8", "csi2.data_type", "data type", base.HEX, T.data_types, 0x3F)
local f_count = W.field("uint16", "csi2.word_count", "word count")
local f_number = W.field("uint16", "csi2.number", "frame or line number")
local f_ecc = W.field("uint8", "csi2.ecc", "ECC", base.HEX)
local f_ecc_status = W.field("string", "csi2.ecc.status", "ECC is")
local f_payload = W.field("bytes", "csi2.payload", "payload")
local f_crc = W.field("uint16", "csi2.crc16", "CRC-16", base.HEX)
local f_crc_status = W.field("string", "csi2.crc16.status", "CRC-16 is")
local f_crc32_status = W.field("string", "sep.crc32.status", "CRC-32 is")
local f_message = W.field("bytes", "sep.payload", "payload")
local f_tag_bytes = W.field("uint32", "sep.tag_bytes", "bytes of the tag")
local f_used = W.field("bytes", "fsed.bytes", "bytes of the position")
local f_lists = W.field("bytes", "fsed.lists", "tags and CRC-32s of the messages")
local f_tag = W.field("bytes", "fsed.tag", "tag")
local f_whole = W.field("none", "fsed.whole", "metadata, put together")
local f_fragment = W.field("framenum", "fsed.fragment", "a part of it is in")
local f_whole_in = W.field("framenum", "fsed.whole_in", "put together in")
local f_filler = W.field("bytes", "fsed.padding", "padding")

local e_ecc = ProtoExpert.new("trueline.csi2.ecc.wrong", "ECC: more than one bit of the header is wrong",
                              expert.group.CHECKSUM, expert.severity.ERROR)
local e_corrected = ProtoExpert.new("trueline.csi2.ecc.corrected", "ECC: one bit of the header was wrong",
                                    expert.group.CHECKSUM, expert.severity.WARN)
local e_crc = ProtoExpert.new("trueline.csi2.crc16.wrong", "CRC-16 is wrong", expert.group.CHECKSUM,
                              expert.severity.ERROR)
local e_length = ProtoExpert.new("trueline.csi2.length", "the packet is not as long as its header says",
                                 expert.group.MALFORMED, expert.severity.ERROR)
local e_crc32 = ProtoExpert.new("trueline.sep.crc32.wrong", "CRC-32 of the footer is wrong", expert.group.CHECKSUM,
                                expert.severity.ERROR)
local e_version = ProtoExpert.new("trueline.sep.version_other", "a service header of another version",
                                  expert.group.PROTOCOL, expert.severity.ERROR)
local e_gap = ProtoExpert.new("trueline.fsed.gap", "bytes before these did not come", expert.group.SEQUENCE,
                              expert.severity.WARN)
local e_order = ProtoExpert.new("trueline.fsed.order", "these bytes do not stand behind those before them: not used",
                                expert.group.SEQUENCE, expert.severity.WARN)
local e_again = ProtoExpert.new("trueline.fsed.again", "these bytes came before", expert.group.SEQUENCE,
                                expert.severity.NOTE)
local e_incomplete = ProtoExpert.new("trueline.fsed.incomplete", "the metadata is not whole", expert.group.REASSEMBLE,
                                     expert.severity.WARN)
for _, e in ipairs { e_ecc, e_corrected, e_crc, e_length, e_crc32, e_version, e_gap, e_order, e_again, e_incomplete } do
  W.experts[#W.experts + 1] = e
end

local streams -- what is learnt of each: has it a CRC-32?

function P.init()
  streams = {}
  F.init()
end

-- ---- checks ----

local function ecc_of(header)
  local ecc = 0
  for bit, code in ipairs(T.ecc) do
    if band(rshift(header, bit - 1), 1) ~= 0 then
      ecc = bxor(ecc, code)
    end
  end
  return ecc
end

-- The header as it was sent, and "right", "corrected" or "wrong".
local function correct(header, ecc)
  local syndrome = bxor(ecc_of(header), ecc)
  if syndrome == 0 then
    return header, "right"
  elseif syndrome >= 64 then
    return header, "wrong"
  elseif band(syndrome, syndrome - 1) == 0 then
    return header, "corrected"
  end
  for bit, code in ipairs(T.ecc) do
    if code == syndrome then
      return bxor(header, lshift(1, bit - 1)), "corrected"
    end
  end
  return header, "wrong"
end

-- ---- checksums ----

-- The register after two bytes at once, from the register after each byte (both from zero): a line has thousands of bytes.
local function two_bytes(one)
  local two = {}
  for first = 0, 255 do
    local after = one[first]
    for second = 0, 255 do
      two[second * 256 + first] = bxor(rshift(after, 8), one[band(bxor(after, second), 0xFF)])
    end
  end
  return { one = one, two = two }
end

local byte = string.byte

local function register_after(register, bytes, tables)
  local two, eights = tables.two, #bytes - #bytes % 8
  for i = 1, eights, 8 do
    local a, b, c, d, e, f, g, h = byte(bytes, i, i + 7)
    register = bxor(rshift(register, 16), two[band(bxor(register, b * 256 + a), 0xFFFF)])
    register = bxor(rshift(register, 16), two[band(bxor(register, d * 256 + c), 0xFFFF)])
    register = bxor(rshift(register, 16), two[band(bxor(register, f * 256 + e), 0xFFFF)])
    register = bxor(rshift(register, 16), two[band(bxor(register, h * 256 + g), 0xFFFF)])
  end
  for i = eights + 1, #bytes do
    register = bxor(rshift(register, 8), tables.one[band(bxor(register, byte(bytes, i)), 0xFF)])
  end
  return register
end

local crc16_tables, crc32_tables -- made when the first packet asks

local function crc16_of(bytes)
  if crc16_tables == nil then
    local one = {}
    for b = 0, 255 do
      one[b] = T.crc16[b + 1]
    end
    crc16_tables = two_bytes(one)
  end
  return register_after(T.crc16_start, bytes, crc16_tables)
end

local function crc32_of(crc, bytes)
  if crc32_tables == nil then
    local one = {}
    for b = 0, 255 do
      local c = b
      for _ = 1, 8 do
        c = band(c, 1) ~= 0 and bxor(rshift(c, 1), 0xEDB88320) or rshift(c, 1)
      end
      one[b] = c
    end
    crc32_tables = two_bytes(one)
  end
  return bxor(register_after(bxor(crc, 0xFFFFFFFF), bytes, crc32_tables), 0xFFFFFFFF)
end

-- ---- footers ----

-- Where tag and CRC-32 of a footer stand, from its rows; sizes in env.
local function footer_parts(env)
  local at, parts = 0, {}
  for _, row in ipairs(W.rows.sep_footer) do
    parts[row.class] = { at = at, n = env[row.class] or 0, big = row.big }
    at = at + (env[row.class] or 0)
  end
  return parts
end

local function crc_fits(raw, footer_at, env)
  local parts = footer_parts(env)
  local crc = raw:sub(footer_at + parts.CRC.at + 1, footer_at + parts.CRC.at + 4)
  local tag = raw:sub(footer_at + parts.TAG.at + 1, footer_at + parts.TAG.at + parts.TAG.n)
  local value = 0
  for i = 1, 4 do
    value = value + crc:byte(i) * 256 ^ (parts.CRC.big and 4 - i or i - 1)
  end
  return crc32_of(crc32_of(0, raw:sub(1, footer_at)), tag) == value
end

-- Sizes in a footer of n bytes behind the message in `raw`: nobody has told them. A CRC-32 that fits says it; so do lengths
-- that only one of the two makes, and else what the stream's messages before had.
local function footer_env(raw, footer_at, n, stream, service)
  local with = { TAG = n - 4, CRC = 4 }
  if n >= 4 and n - 4 <= T.sep_tag_max and crc_fits(raw, footer_at, with) then
    streams[stream] = true
    return with, "right"
  end
  local can = { [0] = "no", [4] = "yes", [8] = "no", [20] = "yes", [12] = "either", [16] = service and "no" or "either" }
  if n >= 4 and (can[n] == "yes" or (can[n] ~= "no" and streams[stream])) then
    return with, "wrong"
  end
  return { TAG = n, CRC = 0 }, nil
end

local function add_footer(tree, tvb, at, stop, raw, header, service)
  local env, crc = footer_env(raw, #raw - (stop - at), stop - at, header.stream, service)
  if env.TAG > T.sep_tag_max then
    tree:add_proto_expert_info(W.value, "a footer that is too long")
    W.add_rest(tree, tvb, at, stop)
    return env
  end
  env.version = 0
  W.whole("sep_footer", env, tree, tvb, at, stop)
  tree:add(f_tag_bytes, env.TAG):set_generated()
  if crc then
    local item = tree:add(f_crc32_status, checks[crc]):set_generated()
    if crc == "wrong" then
      item:add_proto_expert_info(e_crc32)
    end
  end
  return env
end

-- ---- service messages ----

local plain = { version = 0 }
local inside = {
  ["sep_begin.parts"] = W.list("sep_begin_part"),
  ["sep_end.parts"] = W.list("sep_end_part"),
  ["outline.parts"] = W.list("configuration_part"),
}

-- The service message inside a payload, or nil.
local function service_rows(header)
  if header.data_type ~= T.sep_service_type then
    return nil
  end
  return header.message == T.sep_begin and "sep_begin" or header.message == T.sep_end and "sep_end" or nil
end

local function name_of_message(header)
  local rows = service_rows(header)
  if rows then
    return rows == "sep_begin" and "begin" or "end"
  end
  return string.format("%s %d", T.data_types[header.data_type] or "?", header.message)
end

-- H, payload and footer. Returns the text for the info column; of a service message that is whole its values too, and the
-- sizes in its footer.
local function sep_message(tvb, at, stop, tree)
  local after, header, items = W.walk("sep_header", plain, tree, tvb, at, stop)
  if not after then
    return "service header, cut"
  end
  local text = string.format("stream %d frame %d %s", header.stream, header.frame, name_of_message(header))
  if header.version ~= T.sep_version then
    items.version:add_proto_expert_info(e_version)
  end
  if after + header.length > stop then
    items.length:add_proto_expert_info(W.short, "the message says that it is longer than its packet")
    W.add_rest(tree, tvb, after, stop)
    return text .. ", cut"
  end
  local rows, footer, values, env = service_rows(header), after + header.length, nil, { TAG = 0, CRC = 0 }
  if rows then
    local branch = tree:add(W.element, tvb(after, math.max(header.length, 1))):set_text(name_of_message(header))
    local fits, found = W.whole(rows, plain, branch, tvb, after, footer, inside)
    values = fits and found or nil
  elseif header.length > 0 then
    tree:add(f_message, tvb(after, header.length))
  end
  if footer < stop then
    local branch = tree:add(W.element, tvb(footer, stop - footer)):set_text("footer")
    env = add_footer(branch, tvb, footer, stop, tvb:raw(at, stop - at), header, rows ~= nil)
  end
  return text, values, env
end

-- ---- metadata packets ----

do -- a main chunk of Lua has 200 names at most
  local END_MAX = 512 -- an end is shorter

  -- Numbers at offsets of a string, as W.quiet asks a tvb for them.
  local function numbers_in(text)
    return function(at, n)
      local function value(first, last, step)
        local v = 0
        for i = first, last, step do
          v = v * 256 + text:byte(at + i)
        end
        return v
      end
      return { uint = function() return value(1, n, 1) end, le_uint = function() return value(n, 1, -1) end }
    end
  end

  -- Where the frame's end begins in the bytes of the bottom: its header is the only thing that is known of it. nil: not here.
  local function find_end(tvb, at, stop, stream)
    for i = stop - T.sep_header_size, math.max(at, stop - END_MAX), -1 do
      local header = W.quiet("sep_header", tvb, i, stop)
      if header and header.version == T.sep_version and header.stream == stream and header.flags == 0 and
         service_rows(header) == "sep_end" and header.count == 0 then
        local footer = stop - i - T.sep_header_size - header.length
        if footer == 0 or footer == 4 or footer == T.sep_tag_max or footer == T.sep_tag_max + 4 then
          return i
        end
      end
    end
  end

  -- May a run whose last packet is full be whole? If it is not, it goes on, and this is asked again.
  local function fits(run)
    if run.position == T.fsed_bottom then
      local tail = F.tail(run, END_MAX)
      return find_end(numbers_in(tail), 0, #tail, run.stream) ~= nil
    end
    local first = run.pieces[1][2]
    local header = W.quiet("sep_header", numbers_in(first), 0, #first)
    local footer = header and service_rows(header) == "sep_begin" and run.n - T.sep_header_size - header.length
    return footer == T.sep_tag_max + 4 or footer == T.sep_tag_max and not streams[run.stream]
  end

  -- What an end says of its parts: data types, and numbers of messages.
  local function parts_of(tvb, values)
    local parts, n, size = {}, 0, 0
    for _, row in ipairs(W.rows.sep_end_part) do
      size = size + (row.kind == "bit" and 0 or row.n)
    end
    for at = values.parts.at, values.parts.at + values.parts.n - size, size do
      parts[#parts + 1] = W.quiet("sep_end_part", tvb, at, at + size)
      n = n + parts[#parts].count
    end
    return parts, n
  end

  -- Bytes of each message's tag, by its part: who has which security variant is not said, so that it is found out by what
  -- fits, most parts first. nil: nothing does. Second: so does something else.
  local function tag_sizes(parts, bytes)
    local best, best_n, tie
    if #parts > 8 then
      return nil
    end
    for mask = 0, 2 ^ #parts - 1 do -- those without
      local n, tagged, sizes = 0, 0, {}
      for i, part in ipairs(parts) do
        local has = band(rshift(mask, i - 1), 1) == 0
        n, tagged = n + (has and part.count or 0), tagged + (has and 1 or 0)
        sizes[i] = has and 1 or 0
      end
      local size = n > 0 and bytes / n or 0
      if n * size == bytes and (size == 0 or size % 4 == 0 and size <= T.sep_tag_max) and tagged >= (best_n or 0) then
        for i = 1, #parts do
          sizes[i] = sizes[i] * size
        end
        best, best_n, tie = sizes, tagged, tagged == best_n and size > 0
      end
    end
    return best, tie
  end

  -- One list; sizes of its elements by part. Elements that did not come have no value.
  local function add_list(tree, tvb, at, parts, sizes, run, what, add)
    local numbers, n, came = {}, 0, 0
    for i, part in ipairs(parts) do
      local type = part.data_type
      for _ = 1, part.count do
        local name = string.format("%s of %s %d", what, T.data_types[type] or "?", numbers[type] or 0)
        numbers[type] = (numbers[type] or 0) + 1
        if sizes[i] > 0 and F.has(run, at, at + sizes[i]) then
          add(at, sizes[i]):append_text(" (" .. name .. ")")
          came = came + 1
        elseif sizes[i] > 0 then
          W.add_rest(tree, tvb, at, at + sizes[i]):set_text("did not come: " .. name)
        end
        n = n + (sizes[i] > 0 and 1 or 0)
        at = at + sizes[i]
      end
    end
    return n == 0 and "" or came == n and string.format(", %d %ss", n, what) or string.format(", %d of %d %ss", came, n, what), at
  end

  -- Tags and CRC-32s in front of the end, whose values and footer say how many.
  local function add_lists(tree, tvb, at, stop, values, env, run)
    local parts, messages = parts_of(tvb, values)
    local check = env.CRC > 0 and W.rows.fsed_crc32[1].n or 0
    local sizes, tie = tag_sizes(parts, stop - at - messages * check)
    if stop - at < messages * check or not sizes then
      tree:add_proto_expert_info(W.value, "the lists are not as long as the end says")
      W.add_rest(tree, tvb, at, stop)
      return ""
    end
    local tags, after = "", stop - messages * check
    if tie then
      W.add_rest(tree, tvb, at, after):set_text("tags: which of the frame's parts have some is not said")
    else
      tags = add_list(tree, tvb, at, parts, sizes, run, "tag", function(from, n)
        return tree:add(f_tag, tvb(from, n))
      end)
    end
    for i = 1, #parts do
      sizes[i] = check
    end
    return tags .. add_list(tree, tvb, after, parts, sizes, run, "CRC-32", function(from, n)
      local _, _, items = W.walk("fsed_crc32", plain, tree, tvb, from, from + n)
      return items.crc32
    end)
  end

  -- A run from its first byte to its last. Returns the text for the info column.
  local function whole_run(run, tvb, at, stop, tree)
    if run.position == T.fsed_top and #run.holes == 0 then
      return (sep_message(tvb, at, stop, tree))
    end
    local last = run.position == T.fsed_bottom and find_end(tvb, at, stop, run.stream)
    if not last or not F.has(run, last - at, stop - at) then
      W.add_rest(tree, tvb, at, stop):add_proto_expert_info(e_incomplete, "no frame's begin or end is found in it")
      return "not whole"
    end
    local lists = last > at and tree:add(f_lists, tvb(at, last - at))
    local text, values, env = sep_message(tvb, last, stop, tree)
    if lists and values then
      return text .. add_lists(lists, tvb, at, last, values, env, run)
    end
    return text
  end

  local function put_together(run, tree)
    local bytes = F.bytes(run)
    local position = T.positions[run.position] or "?"
    if not bytes then
      tree:add_proto_expert_info(e_incomplete, "so much came behind it that its bytes were forgotten")
      return ""
    end
    local tvb = ByteArray.new(bytes, true):tvb("Metadata, " .. position)
    local branch = tree:add(f_whole, tvb()):set_text(string.format("Metadata of the frame's %s: %d bytes of %d packets", position,
                                                                   run.n, #run.numbers))
    for _, number in ipairs(run.numbers) do
      branch:add(f_fragment, number):set_generated()
    end
    for _, hole in ipairs(run.holes) do
      branch:add_proto_expert_info(e_incomplete, string.format("%d bytes from %d on did not come", hole[2] - hole[1], hole[1]))
    end
    return ": " .. whole_run(run, tvb, 0, run.n, branch)
  end

  function P.add_closed(tree, closed)
    for _, run in ipairs(closed or {}) do
      tree:add_proto_expert_info(e_incomplete, string.format("stream %d: the metadata of the frame's %s, begun in frame %d, is not whole",
                                                             run.stream, T.positions[run.position] or "?", run.first))
    end
  end

  -- What became of a packet's bytes, with the run that they are of.
  local function add_bytes(visit, record, tvb, at, stop, tree)
    local item, run = tree:add(f_used, tvb(at, stop - at)), record.run
    P.add_closed(tree, record.closed)
    if record.why == "again" then
      item:add_proto_expert_info(e_again)
    elseif record.why then
      item:add_proto_expert_info(e_order)
    elseif (record.missing or 0) > 0 then
      item:add_proto_expert_info(e_gap, string.format("%d bytes before these did not come", record.missing))
    end
    if not run then
      return ""
    elseif run.done_id == visit.id and #run.numbers == 1 and #run.holes == 0 then
      return ": " .. whole_run(run, tvb, at, stop, item)
    elseif run.done_id == visit.id then
      return put_together(run, tree)
    elseif run.done then
      tree:add(f_whole_in, run.done):set_generated()
    elseif run.cut then
      item:add_proto_expert_info(e_incomplete)
    end
    return ""
  end

  function P.metadata(tvb, at, stop, tree, visit)
    local after, packet, items = W.walk("fsed_packet", plain, tree, tvb, at, stop)
    if not after then
      return "metadata, cut"
    end
    local text = string.format("stream %d metadata %s at %d", packet.stream, T.positions[packet.position] or "?",
                               packet.offset)
    local last = after + packet.used
    if packet.version ~= T.fsed_version then
      items.version:add_proto_expert_info(e_version)
    end
    if last > stop then
      items.used:add_proto_expert_info(W.short, "more bytes than the packet has")
      W.add_rest(tree, tvb, after, stop)
      return text .. ", cut"
    end
    if packet.used > 0 then
      local right = visit.is_right and packet.version == T.fsed_version and T.positions[packet.position]
      visit.id = string.format("%d %d %d %d %s", visit.number, packet.stream, packet.position, packet.offset, visit.crc)
      local record = right and F.take(visit, packet, tvb:raw(after, packet.used), last < stop, fits) or {}
      text = text .. add_bytes(visit, record, tvb, after, last, tree)
    end
    if last < stop then
      tree:add(f_filler, tvb(last, stop - last))
    end
    return text
  end
end

local function rows_only(message)
  return function(tvb, at, stop, tree)
    local _, values = W.whole(message, plain, tree, tvb, at, stop, inside)
    return string.format("%s of stream %s", message, tostring(values.stream or "?"))
  end
end

-- What a long packet carries, by its data type.
local by_type = {
  [T.sep_wire_type] = { "Trueline message", sep_message },
  [T.fsed_wire_type] = { "Trueline metadata of a frame", P.metadata },
  [T.announcement_wire_type] = { "Trueline announcement", rows_only("announcement") },
  [T.outline_wire_type] = { "Trueline outline of pictures", rows_only("outline") },
}

-- ---- packets ----

-- The checksum behind the payload, if it is there, and whether it is right.
local function check_of(tvb, at, stop)
  if stop + T.csi2_footer > tvb:len() then
    return nil, false
  end
  local told = tvb(stop, T.csi2_footer)
  return told, crc16_of(stop > at and tvb:raw(at, stop - at) or "") == told:le_uint()
end

local function long_packet(tvb, at, header, tree, visit)
  local count = math.floor(header / 256)
  local whole = tvb:len() == at + count + T.csi2_footer
  local stop = math.min(at + count, tvb:len())
  local carries = by_type[header % 64]
  local told, right = check_of(tvb, at, stop)
  local text = ""
  if at < stop and carries then
    local branch = tree:add(W.sep, tvb(at, stop - at), carries[1])
    visit.is_right, visit.crc = right and whole, told and tostring(told:le_uint()) or ""
    text = carries[2](tvb, at, stop, branch, visit)
    branch:append_text(", " .. text)
  elseif at < stop then
    tree:add(f_payload, tvb(at, stop - at))
  end
  if told then
    tree:add_le(f_crc, told)
    local status = tree:add(f_crc_status, checks[right and "right" or "wrong"]):set_generated()
    if not right then
      status:add_proto_expert_info(e_crc)
      text = text .. " [CRC-16 wrong]"
    end
    W.add_rest(tree, tvb, stop + T.csi2_footer, tvb:len())
  else
    W.add_rest(tree, tvb, stop, tvb:len())
  end
  if not whole then
    tree:add_proto_expert_info(e_length)
    text = text .. " [length]"
  end
  return text
end

local FRAME_START, FRAME_END = 0, 1

-- Frame start and end are where metadata ends that is not whole.
local function short_packet(header, tree, visit)
  local type, channel, number = header % 64, math.floor(header / 64) % 4, math.floor(header / 256)
  if type == FRAME_START or type == FRAME_END then
    visit.id = string.format("%d %d %d %d", visit.number, channel, type, number)
    P.add_closed(tree, F.boundary(visit))
  end
end

-- A packet of CSI-2 on the connection `key`. Returns the text for the info column.
function P.packet(tvb, pinfo, tree, key)
  local n = T.csi2_header
  if tvb:len() < n then
    tree:add_proto_expert_info(e_length)
    W.add_rest(tree, tvb, 0, tvb:len())
    return "packet, cut"
  end
  local header, status = correct(tvb(0, 3):le_uint(), tvb(3, 1):uint())
  local type, count = header % 64, math.floor(header / 256)
  local short = type < 0x10
  tree:add(f_channel, tvb(0, 1))
  tree:add(f_type, tvb(0, 1))
  tree:add_le(short and f_number or f_count, tvb(1, 2))
  tree:add(f_ecc, tvb(3, 1))
  local item = tree:add(f_ecc_status, checks[status]):set_generated()
  if status == "wrong" then
    item:add_proto_expert_info(e_ecc)
    W.add_rest(tree, tvb, n, tvb:len())
    return "[ECC wrong]"
  end
  local text = string.format("VC%d", math.floor(header / 64) % 4)
  if not by_type[type] then
    text = text .. " " .. (T.data_types[type] or string.format("0x%02x", type))
  end
  if status == "corrected" then
    item:add_proto_expert_info(e_corrected)
    text = text .. " [ECC corrected]"
  end
  local visit = { key = key .. " VC" .. math.floor(header / 64) % 4, number = pinfo.number, is_first = not pinfo.visited }
  if not short then
    return text .. " " .. long_packet(tvb, n, header, tree, visit)
  end
  short_packet(header, tree, visit)
  if tvb:len() > n then
    tree:add_proto_expert_info(e_length)
    W.add_rest(tree, tvb, n, tvb:len())
  end
  return string.format("%s %d", text, count)
end
