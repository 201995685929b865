-- The protocols, what people can choose, and where Wireshark finds them.

local trueline = Proto("trueline", "Trueline")
local csi2 = Proto("trueline_csi2", "CSI-2")
W.sep = Proto("trueline_sep", "Trueline in CSI-2")
W.spdm = Proto("trueline_spdm", "SPDM")
W.record = Proto("trueline_record", "Secured messages of SPDM (DSP0277)")

-- ---- verdicts ----
-- `trueline annotate` writes them into comments of packets; they are shown as fields, as text and as severity.

local f_verdict = W.field("string", "verdict", "verdict")
local f_meaning = W.field("string", "verdict.meaning", "which means")
local f_frame = W.field("uint32", "frame", "frame")
local f_frame_verdict = W.field("string", "frame.verdict", "verdict of the frame")
local f_frame_meaning = W.field("string", "frame.verdict.meaning", "which means")
local f_failed = W.field("uint32", "failed", "checks that failed")
local e_ok = ProtoExpert.new("trueline.verdict.ok", "verified", expert.group.SECURITY, expert.severity.CHAT)
local e_bad = ProtoExpert.new("trueline.verdict.bad", "REFUSED", expert.group.SECURITY, expert.severity.ERROR)
W.experts[#W.experts + 1] = e_ok
W.experts[#W.experts + 1] = e_bad
local meaning_of = {}
for _, v in ipairs(T.verdicts) do
  meaning_of[v.name] = v.meaning
end
local comment_of = Field.new("frame.comment")

-- Whoever wrote the comment, it is a number of 32 bits or none.
local function number_of(digits)
  local value = digits and tonumber(digits)
  return value and value < 2 ^ 32 and value or nil
end

-- One verdict. Returns the words for the info column.
local function add_one(tree, f, f_why, verdict, of)
  local ok = verdict == "ok"
  local item = tree:add(f, verdict):set_generated()
  tree:add(f_why, meaning_of[verdict] or "not known here"):set_generated()
  item:add_proto_expert_info(ok and e_ok or e_bad, ok and of .. "verified" or of .. "REFUSED: " .. verdict)
  return ok and " [" .. of .. "verified]" or " [" .. of .. "REFUSED: " .. verdict .. "]"
end

local function add_verdict(tree)
  local text = ""
  for _, comment in ipairs { comment_of() } do
    for line in tostring(comment.value):gmatch("[^\n]+") do
      local verdict = line:match("^trueline: verdict (%w+)$")
      local frame, of_frame = line:match("^trueline: frame (%d+) (%w+)$")
      local failed = line:match("^trueline: failed (%d+)$")
      if verdict then
        text = text .. add_one(tree, f_verdict, f_meaning, verdict, "")
      elseif number_of(frame) then
        tree:add(f_frame, number_of(frame)):set_generated()
        text = text .. add_one(tree, f_frame_verdict, f_frame_meaning, of_frame, "frame " .. frame .. " ")
      elseif number_of(failed) then
        local why = "REFUSED: checks failed: " .. failed
        tree:add(f_failed, number_of(failed)):set_generated():add_proto_expert_info(e_bad, why)
        text = text .. " [" .. why .. "]"
      end
    end
  end
  return text
end

-- ---- packets ----

local interface_of = Field.new("frame.interface_name")
local stream_of = Field.new("tcp.stream")

-- A recording's name of the connection; records that were opened stand on an interface of their own, "NAME (opened)".
local function connection()
  local name = interface_of()
  return name and tostring(name.value):gsub(" %(opened%)$", "") or ""
end

local function show(pinfo, protocol, text)
  pinfo.cols.protocol = protocol
  pinfo.cols.info = text
end

function csi2.dissector(tvb, pinfo, tree)
  local branch = tree:add(csi2, tvb(), "CSI-2")
  local text = P.packet(tvb, pinfo, branch, connection())
  branch:append_text(" " .. text)
  show(pinfo, "CSI-2", text .. add_verdict(branch))
  return tvb:len()
end

-- A protocol for each way that SPDM is carried, and one for the same with the records opened.
local function carrier_proto(name, carrier, is_opened)
  local proto = Proto(name, carrier.name .. (is_opened and ", records opened" or ""))
  proto.dissector = function(tvb, pinfo, tree)
    local branch = tree:add(proto, tvb(), proto.description)
    show(pinfo, "SPDM", carrier.packet(tvb, pinfo, branch, connection(), is_opened) .. add_verdict(branch))
    return tvb:len()
  end
  return proto
end

local tcp = carrier_proto("trueline_tcp", carriers.tcp, false)
local tcp_opened = carrier_proto("trueline_tcp_opened", carriers.tcp, true)
local mctp = carrier_proto("trueline_mctp", carriers.mctp, false)
local mctp_opened = carrier_proto("trueline_mctp_opened", carriers.mctp, true)
local doe = carrier_proto("trueline_doe", carriers.doe, false)
local doe_opened = carrier_proto("trueline_doe_opened", carriers.doe, true)

-- ---- SPDM on real TCP ----

local over_tcp = Proto("trueline_tcp_stream", "SPDM over TCP (DSP0287) on a TCP connection")

local function size_of_message(tvb, _, at)
  return 2 + math.max(tvb(at, 2):le_uint(), 2)
end

local shown_in -- the packet whose text began

local function message_of_stream(tvb, pinfo, tree)
  local branch = tree:add(tcp, tvb(), tcp.description)
  local key = "tcp " .. tostring(stream_of().value)
  local text = carriers.tcp.packet(tvb, pinfo, branch, key, false)
  pinfo.cols.protocol = "SPDM"
  if shown_in == pinfo.number then
    pinfo.cols.info:append("; " .. text)
  else
    pinfo.cols.info = text
  end
  shown_in = pinfo.number
  return tvb:len()
end

function over_tcp.dissector(tvb, pinfo, tree)
  dissect_tcp_pdus(tvb, tree, T.tcp_head, size_of_message, message_of_stream)
  return tvb:len()
end

-- ---- packets on a TCP connection ----
-- Each end greets once, by a hello or a token of a session; then lengths and packets. The port is nobody's: Decode As.

local data = Proto("trueline_data", "Trueline packets on a TCP connection")
local f_packet_length = W.field("uint32", "data.length", "length of the packet")
local PACKET_MAX = T.csi2_header + 65535 + T.csi2_footer

-- Where a greeting's magic stands: the rows before it have numbers of bytes.
local function magic_at(message)
  local at = 0
  for _, row in ipairs(W.rows[message]) do
    if row.name == "magic" then
      return at, row.n
    end
    at = at + row.n
  end
end

local function begins_with(message, tvb, at)
  local offset, n = magic_at(message)
  return tvb:len() >= at + offset + n and tvb:raw(at + offset, n) == T.magic[message]
end

-- Bytes of what begins here, and the greeting's rows; nil: more must come to know it.
local function unit_of(tvb, at)
  local left = tvb:len() - at
  if left < 4 then
    return nil
  end
  local n = tvb(at, 4):le_uint()
  if n <= PACKET_MAX then
    return 4 + n
  elseif begins_with("hello", tvb, at) then
    return T.hello_size, "hello"
  elseif begins_with("data_token", tvb, at) then
    return T.data_token_size, "data_token"
  end
  return left >= T.data_token_size and left or nil, "rest"
end

local function unit(tvb, at, stop, greeting, pinfo, tree)
  if greeting == "rest" then
    W.add_rest(tree, tvb, at, stop):add_proto_expert_info(W.value, "neither a greeting nor the length of a packet")
    return "no packet"
  elseif greeting then
    W.whole(greeting, { version = 0 }, tree, tvb, at, stop)
    return (greeting:gsub("_", " "))
  end
  tree:add_le(f_packet_length, tvb(at, 4))
  if stop == at + 4 then
    return "empty"
  end
  local packet = tvb(at + 4, stop - at - 4):tvb()
  local branch = tree:add(csi2, packet(), "CSI-2")
  return P.packet(packet, pinfo, branch, "tcp " .. tostring(stream_of().value))
end

function data.dissector(tvb, pinfo, tree)
  local at, texts = 0, {}
  while at < tvb:len() do
    local size, greeting = unit_of(tvb, at)
    if not size or at + size > tvb:len() then
      pinfo.desegment_offset = at
      pinfo.desegment_len = size and at + size - tvb:len() or DESEGMENT_ONE_MORE_SEGMENT
      break
    end
    local branch = tree:add(data, tvb(at, size), data.description)
    texts[#texts + 1] = unit(tvb, at, at + size, greeting, pinfo, branch)
    at = at + size
  end
  if #texts > 0 then
    show(pinfo, "CSI-2", texts[1] .. (#texts > 1 and string.format(", and %d more", #texts - 1) or ""))
  end
  return tvb:len()
end

-- ---- registration ----

local protos = { csi2 = { csi2 }, tcp = { tcp, tcp_opened }, mctp = { mctp, mctp_opened }, doe = { doe, doe_opened } }
local USER0 = 147

local links = {} -- preference, link type, protocol
for _, link in ipairs(T.links) do
  links[#links + 1] = { "link_" .. link.name, link.plain, protos[link.name][1] }
  if link.opened ~= 0 then
    links[#links + 1] = { "link_" .. link.name .. "_opened", link.opened, protos[link.name][2] }
  end
end

trueline.prefs.port = Pref.uint("TCP port of SPDM", 4194, "SPDM over TCP is looked for on this port; 0: on none")
for _, link in ipairs(links) do
  trueline.prefs[link[1]] = Pref.uint(link[3].description .. ": link type", link[2],
                                      "147 to 162, of LINKTYPE_USER0 to USER15; 0: none")
end
trueline.prefs.layout = Pref.statictext("Layout of the service header: " .. T.layout, "")

local registered = {}

local function register()
  for _, r in ipairs(registered) do
    r[1]:remove(r[2], r[3])
  end
  registered = {}
  local function add(table, key, proto)
    table:add(key, proto)
    registered[#registered + 1] = { table, key, proto }
  end
  local by_link, by_port = DissectorTable.get("wtap_encap"), DissectorTable.get("tcp.port")
  for _, link in ipairs(links) do
    local number = trueline.prefs[link[1]]
    if number >= USER0 and number < USER0 + 16 then
      add(by_link, wtap.USER0 + number - USER0, link[3])
    end
  end
  if trueline.prefs.port > 0 and trueline.prefs.port < 65536 then
    add(by_port, trueline.prefs.port, over_tcp)
  end
end

trueline.fields = W.fields
trueline.experts = W.experts

function trueline.init()
  S.init()
  P.init()
end

trueline.prefs_changed = register
register()
DissectorTable.get("tcp.port"):add_for_decode_as(over_tcp)
DissectorTable.get("tcp.port"):add_for_decode_as(data)
