"""What the pages of signing in say, in both languages."""

from collections.abc import Mapping
from typing import Final

from loa.console.language import Text

TEXTS: Final[Mapping[str, Text]] = {
    "title_sign_in": Text("Đăng nhập", "Sign in"),
    "title_first_run": Text("Tạo chủ sở hữu", "Make the owner"),
    "title_set_up": Text("Đặt mật khẩu và xác thực hai bước", "Set password and second factor"),
    "title_enter": Text("Loa dùng thử", "The Loa demo"),
    "title_recovery": Text("Mã khôi phục", "Recovery codes"),
    "title_refused": Text("Không thực hiện được", "This cannot be done"),
    "name": Text("Tên đăng nhập", "Name"),
    "name_hint": Text(
        "1 đến 64 ký tự a-z 0-9 . _ @ + -, bắt đầu bằng chữ hoặc số.",
        "1 to 64 of a-z 0-9 . _ @ + -, beginning with a letter or digit.",
    ),
    "password": Text("Mật khẩu", "Password"),
    "password_hint": Text(
        "Ít nhất 12 ký tự; một câu dài là tốt nhất.", "At least 12 characters; a long phrase is best."
    ),
    "again": Text("Nhập lại mật khẩu", "Password again"),
    "code": Text("Mã xác thực", "Code"),
    "code_hint": Text(
        "6 chữ số trong ứng dụng xác thực, hoặc một mã khôi phục.",
        "The 6 digits of your authenticator app, or a recovery code.",
    ),
    "sign_in": Text("Đăng nhập", "Sign in"),
    "scan": Text(
        "Quét mã này bằng ứng dụng xác thực (hoặc nhập khóa bên dưới), rồi nhập 6 chữ số mà ứng dụng hiển thị.",
        "Scan this with an authenticator app, or type the key below into it, then enter the 6 digits that it shows.",
    ),
    "qr": Text("Mã QR cho ứng dụng xác thực", "QR code for an authenticator app"),
    "key": Text("Khóa", "Key"),
    "app_link": Text("Mở trong ứng dụng xác thực trên thiết bị này", "Open in an authenticator app on this device"),
    "digits": Text("6 chữ số", "6 digits"),
    "create": Text("Hoàn tất", "Finish"),
    "enter_why": Text(
        "Bản dùng thử này chỉ chạy trên máy này và không gửi tới điện thoại nào, nên không cần mật khẩu.",
        "This demo runs on this machine only and reaches no real phone, so it asks for no password.",
    ),
    "enter": Text("Mở bảng điều khiển", "Open the console"),
    "recovery_why": Text(
        "Khi mất thiết bị xác thực, mỗi mã này thay cho 6 chữ số một lần. Hãy cất ở nơi an toàn:"
        " chúng chỉ hiện lần này.",
        "When the device with your app is lost, each of these stands in for the 6 digits, once. Keep them in a safe"
        " place: they are shown only now.",
    ),
    "recovery_done": Text("Tôi đã cất các mã này", "I have put them away"),
    "to_sign_in": Text("Đến trang đăng nhập", "Go to sign-in"),
    # what is wrong
    "refused": Text(
        "Tên, mật khẩu hoặc mã không đúng. Mỗi mã chỉ dùng được một lần: nếu vừa dùng, hãy chờ mã tiếp theo.",
        "Name, password or code is not right. Each code is good once: if you have just used it, wait for the next.",
    ),
    "wait": Text(
        "Đã thử quá nhiều lần. Hãy thử lại sau {seconds} giây.", "Too many tries. Try again in {seconds} seconds."
    ),
    "problem_name": Text("Tên này không dùng được.", "This name cannot be used."),
    "problem_password_length": Text("Mật khẩu phải có từ 12 đến 256 ký tự.", "A password has 12 to 256 characters."),
    "problem_password_is_name": Text("Mật khẩu không được chứa tên.", "The password must not contain the name."),
    "problem_passwords_differ": Text("Hai mật khẩu không giống nhau.", "The two passwords differ."),
    "problem_code": Text(
        "6 chữ số không đúng. Hãy kiểm tra giờ trên thiết bị và nhập mã mới.",
        "The 6 digits are not right. Check the clock of your device and enter a new code.",
    ),
    "bad_link": Text(
        "Liên kết này đã được dùng, đã hết hạn, hoặc không do Loa này tạo. Tạo liên kết mới trên máy chủ: loa users"
        " reset-link TÊN; nếu chưa có người dùng nào, hãy khởi động lại Loa.",
        "This link was used before, is over, or was not made by this Loa. Make a new one on the server: loa users"
        " reset-link NAME; where there is no user yet, start Loa again.",
    ),
    "needs_tls": Text(
        "Bảng điều khiển chỉ mở qua HTTPS, hoặc qua http://localhost trên chính máy này. Hãy đặt một proxy TLS phía"
        " trước và khai báo nó trong server.trusted_proxies.",
        "The console opens over HTTPS only, or as http://localhost on this machine. Put a TLS proxy in front of it and"
        " name that in server.trusted_proxies.",
    ),
    "elsewhere": Text(
        "Yêu cầu này đến từ một trang khác và đã bị từ chối. Hãy làm lại từ trang của Loa.",
        "This request came from another site and was refused. Do it again from Loa's own page.",
    ),
    "stale_form": Text(
        "Biểu mẫu này không còn hợp lệ. Hãy tải lại trang rồi thử lại.",
        "This form is out of date. Load the page again, then try once more.",
    ),
    "too_long": Text("Biểu mẫu quá dài.", "The form is too long."),
    "signed_out": Text("Bạn chưa đăng nhập, hoặc phiên đã hết.", "You are not signed in, or no longer."),
    "unavailable": Text(
        "Tạm thời không truy cập được sổ lưu. Hãy thử lại sau giây lát.",
        "The ledger cannot be reached just now. Try again shortly.",
    ),
    "not_found": Text("Không có trang nào ở địa chỉ này.", "There is no page at this address."),
    "fault": Text(
        "Đã xảy ra lỗi phía Loa. Vui lòng gửi kèm mã yêu cầu {request_id} khi liên hệ.",
        "Something went wrong on Loa's side. Quote the request id {request_id} when asking.",
    ),
}
