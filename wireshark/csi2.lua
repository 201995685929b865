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
local f_footer = W.field("bytes", "fsed.footer", "footer, or the part of it that is in this packet")
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
for _, e in ipairs { e_ecc, e_corrected, e_crc, e_length, e_crc32, e_version } do
  W.experts[#W.experts + 1] = e
end

local streams -- what is learnt of each: has it a CRC-32?

function P.init()
  streams = {}
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

local function crc16_of(bytes)
  local crc, table = T.crc16_start, T.crc16
  for i = 1, #bytes do
    crc = bxor(rshift(crc, 8), table[band(bxor(crc, bytes:byte(i)), 0xFF) + 1])
  end
  return crc
end

local crc32_table = {}
for b = 0, 255 do
  local c = b
  for _ = 1, 8 do
    c = band(c, 1) ~= 0 and bxor(rshift(c, 1), 0xEDB88320) or rshift(c, 1)
  end
  crc32_table[b] = c
end

local function crc32_of(crc, bytes)
  crc = bxor(crc, 0xFFFFFFFF)
  for i = 1, #bytes do
    crc = bxor(rshift(crc, 8), crc32_table[band(bxor(crc, bytes:byte(i)), 0xFF)])
  end
  return bxor(crc, 0xFFFFFFFF)
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
    return
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

-- H, payload and footer. Returns the text for the info column. goes_on: the footer may go on in another packet.
local function sep_message(tvb, at, stop, tree, goes_on)
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
  local rows, footer = service_rows(header), after + header.length
  if rows then
    local branch = tree:add(W.element, tvb(after, math.max(header.length, 1))):set_text(name_of_message(header))
    W.whole(rows, plain, branch, tvb, after, footer, inside)
  elseif header.length > 0 then
    tree:add(f_message, tvb(after, header.length))
  end
  if footer < stop and goes_on then
    tree:add(f_footer, tvb(footer, stop - footer))
  elseif footer < stop then
    local branch = tree:add(W.element, tvb(footer, stop - footer)):set_text("footer")
    add_footer(branch, tvb, footer, stop, tvb:raw(at, stop - at), header, rows ~= nil)
  end
  return text
end

-- ---- metadata packets ----

-- Where the frame's end begins in the bytes of the bottom: its header is the only thing that is known of it. nil: not here.
local function find_end(tvb, at, stop, stream)
  for i = stop - T.sep_header_size, at, -1 do
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

local function metadata_bytes(packet, tvb, at, stop, tree, is_full)
  local branch = tree:add(f_used, tvb(at, stop - at))
  if packet.position == T.fsed_top and packet.offset == 0 then
    local header = W.quiet("sep_header", tvb, at, stop)
    if header and service_rows(header) == "sep_begin" and at + T.sep_header_size + header.length <= stop then
      return ": " .. sep_message(tvb, at, stop, branch, is_full)
    end
  elseif packet.position == T.fsed_bottom then
    local last = find_end(tvb, at, stop, packet.stream)
    if last then
      if last > at then
        branch:add(f_lists, tvb(at, last - at))
      end
      return ": " .. sep_message(tvb, last, stop, branch)
    end
  end
  return ""
end

local function fsed(tvb, at, stop, tree)
  local after, packet, items = W.walk("fsed_packet", plain, tree, tvb, at, stop)
  if not after then
    return "metadata, cut"
  end
  local text = string.format("stream %d metadata %s at %d", packet.stream, T.positions[packet.position] or "?",
                             packet.offset)
  if packet.version ~= T.fsed_version then
    items.version:add_proto_expert_info(e_version)
  end
  if after + packet.used > stop then
    items.used:add_proto_expert_info(W.short, "more bytes than the packet has")
    W.add_rest(tree, tvb, after, stop)
    return text .. ", cut"
  end
  if packet.used > 0 then
    text = text .. metadata_bytes(packet, tvb, after, after + packet.used, tree, after + packet.used == stop)
  end
  if after + packet.used < stop then
    tree:add(f_filler, tvb(after + packet.used, stop - after - packet.used))
  end
  return text
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
  [T.fsed_wire_type] = { "Trueline metadata of a frame", fsed },
  [T.announcement_wire_type] = { "Trueline announcement", rows_only("announcement") },
  [T.outline_wire_type] = { "Trueline outline of pictures", rows_only("outline") },
}

-- ---- packets ----

local function long_packet(tvb, at, header, tree)
  local count = math.floor(header / 256)
  local whole = tvb:len() == at + count + T.csi2_footer
  local stop = math.min(at + count, tvb:len())
  local carries = by_type[header % 64]
  local text = ""
  if at < stop and carries then
    local branch = tree:add(W.sep, tvb(at, stop - at), carries[1])
    text = carries[2](tvb, at, stop, branch)
    branch:append_text(", " .. text)
  elseif at < stop then
    tree:add(f_payload, tvb(at, stop - at))
  end
  if stop + T.csi2_footer <= tvb:len() then
    local told = tvb(stop, T.csi2_footer)
    local item = tree:add_le(f_crc, told)
    local right = crc16_of(stop > at and tvb:raw(at, stop - at) or "") == told:le_uint()
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

-- A packet of CSI-2. Returns the text for the info column.
function P.packet(tvb, pinfo, tree)
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
  if not short then
    return text .. " " .. long_packet(tvb, n, header, tree)
  end
  if tvb:len() > n then
    tree:add_proto_expert_info(e_length)
    W.add_rest(tree, tvb, n, tvb:len())
  end
  return string.format("%s %d", text, count)
end
